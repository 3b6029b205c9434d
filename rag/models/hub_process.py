"""Fetches files of one commit of a public repository on the Hugging Face hub, in a process of its own.

Run by its path, `python -I hub_process.py REPOSITORY REVISION [NAME BYTES PLACE]...`, by `fetching`, which also checks the
hashes. Each file is appended to what is already at its PLACE: the library's `hf_hub_download` (2.4) would delete what a
stopped fetch had, so its `http_get` is called. No token of the user is sent. Nothing of `rag` is imported.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

ANSWER_S = 8.0  # for the first answer of the hub: some machines can reach only a package index


def _give_up() -> None:
    print(f"TimeoutError: no answer within {ANSWER_S:.0f} s", flush=True)  # noqa: T201  goes to the log
    os._exit(1)


def main(repository: str, revision: str, *files: str) -> None:
    """Fetch the files. Ends with a traceback, whose last line says why, when that failed."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get

    constants.DOWNLOAD_CHUNK_SIZE = 1 << 16  # the most that a stop can lose; the default is 10 MB
    # One short request comes first, because http_get retries for a minute where it cannot connect. The timer also ends
    # a slow look-up of the name, and a try of each of the hub's many addresses.
    timer = threading.Timer(ANSWER_S, _give_up)
    timer.daemon = True
    timer.start()
    first = hf_hub_url(repository, files[0], revision=revision)
    found = get_hf_file_metadata(first, token=False, timeout=ANSWER_S)
    timer.cancel()
    if found.commit_hash != revision:
        raise OSError(f"{first} was not answered by a hub")
    for name, size, place in zip(files[::3], files[1::3], files[2::3], strict=True):
        with Path(place).open("ab") as target:
            http_get(
                hf_hub_url(repository, name, revision=revision),
                target,
                resume_size=target.tell(),
                expected_size=int(size),
                headers={"Accept-Encoding": "identity"},
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
