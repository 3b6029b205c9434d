"""Files of an index: written completely or not at all, and verified by SHA-256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from rag.errors import StoreError


def write_file(target: Path, data: bytes) -> None:
    """Write `data` as the new file `target`, complete and on the disk or not at all.

    Raises `StoreError` when it cannot be written; a half-written file never has that name.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"{target}: cannot be written ({error.strerror}); free space and run: rag index"
        ) from None


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, "" when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
