"""The page and a browser where there is no network at all: `unshare --net python -m tests.offline_page FOLDER`.

Prints what the browser asked for beside the page, and what it complained of, as JSON.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import sys
from pathlib import Path

from rag.server.network import free_port
from rag.ui.serving import serve
from tests.browser import chromium, tab
from tests.ui.test_app import FakeAssistant, ask

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def main() -> None:
    """See the module."""
    with socket.socket(
        socket.AF_INET, socket.SOCK_DGRAM
    ) as control:  # a new namespace has its loopback switched off
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    served = serve(FakeAssistant(Path(sys.argv[1])), port=free_port())
    with chromium() as browser, tab(browser, served.local_url) as opened:
        page = opened.page
        page.wait_for_selector(".cw-hello")
        ask(page, "How long did it last?")
        page.wait_for_selector(".cw-answered")
        page.locator(".cw-turn .cw-chip").first.click()
        page.wait_for_selector(".cw-hit")
        page.get_by_role("tab", name="Articles").click()
        page.wait_for_selector(".cw-item")
        found = {"strangers": opened.strangers(served.local_url), "errors": opened.errors}
    served.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
