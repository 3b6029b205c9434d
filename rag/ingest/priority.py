"""Priority: indexing waits while a question is being answered, in this process or another one of the same user.

Whoever answers holds a shared lock on a file, which the system releases when a process dies. Indexing checks between small
pieces of work whether anybody holds the lock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there both share the processor equally
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "answering.lock"
LOOK_S = 0.05
MOST_S = (
    20.0  # longest wait before one piece of work, so that endless questions do not stop indexing for good
)


@contextmanager
def answering(folder: Path) -> Iterator[None]:
    """Make indexing wait meanwhile. Where the folder cannot be written, the question is answered anyway."""
    descriptor = None
    if fcntl is not None:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_answering(folder: Path) -> bool:
    if fcntl is None:
        return False
    try:
        descriptor = os.open(folder / FILE_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def give_way(folder: Path) -> None:
    """Wait until nobody answers, at most `MOST_S`. Call it before each small piece of work."""
    until = time.monotonic() + MOST_S
    while _is_answering(folder) and time.monotonic() < until:
        time.sleep(LOOK_S)
