"""Priority: indexing gives way while a question is being answered, in this process or another of the same user.

Who answers holds a shared lock on a file, which the system frees when a process dies; who indexes looks, between two small
pieces of work, whether anybody holds it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: both share the processor evenly there
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "answering.lock"
LOOK_S = 0.05
MOST_S = 20.0  # one piece of work is done after so long, so that questions without end do not stop indexing for good


@contextmanager
def answering(folder: Path) -> Iterator[None]:
    """Ask indexing to wait meanwhile. A folder that cannot be written is no reason not to answer."""
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


def make_give_way(folder: Path) -> Callable[[], None]:
    """A function that returns when nobody answers, or after `MOST_S`; call it before each small piece of work."""

    def give_way() -> None:
        until = time.monotonic() + MOST_S
        while _is_answering(folder) and time.monotonic() < until:
            time.sleep(LOOK_S)

    return give_way
