"""Debian's Chromium for tests and screenshots: started without any habit of calling home, every request recorded.

It knows browsers, not the page under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Tab:
    """An open page, the addresses it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def strangers(self, origin: str) -> list[str]:
        """The requests that went anywhere but `origin`."""
        own = (origin.rstrip("/") + "/", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(own)]


@contextmanager
def tab(browser: Browser, address: str, **context: Any) -> Iterator[Tab]:
    """`address` in a fresh profile; `context` are Playwright's options (viewport, color_scheme ...)."""
    profile = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
    try:
        page = profile.new_page()
        page.set_default_timeout(15_000)
        opened = Tab(page)
        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("websocket", lambda ws: opened.requests.append(ws.url))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("console", lambda m: opened.errors.append(m.text) if m.type == "error" else None)
        page.goto(address)
        yield opened
    finally:
        profile.close()
