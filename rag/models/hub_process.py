"""Fetches files of one commit of a public repository on the Hugging Face hub, in a process of its own.

Run by its path, `python -I hub_process.py REPOSITORY REVISION [NAME BYTES PLACE]...`, by `fetching`, which also checks the
hashes. Each file is appended to what is already at its PLACE: the library's `hf_hub_download` (2.4) would delete what a
stopped fetch had, so its `http_get` is called. No token of the user is sent. Nothing of `rag` is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

CONNECT_S = 5.0  # for the first answer of the hub; many machines reach only a package index


def main(repository: str, revision: str, *files: str) -> None:
    """Fetch the files. Ends with a traceback, whose last line says why, when that failed."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get

    constants.DOWNLOAD_CHUNK_SIZE = 1 << 16  # all that a stop can lose; the default is 10 MB
    # One short request comes first, because http_get goes on trying for a minute where it cannot connect.
    first = hf_hub_url(repository, files[0], revision=revision)
    if get_hf_file_metadata(first, token=False, timeout=CONNECT_S).commit_hash != revision:
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
