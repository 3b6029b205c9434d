"""Watching: when to scan the articles again. It knows folders and times, not contents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from rag.config import Settings
from rag.errors import StoreError
from rag.store.catalog import Catalog

QUIET_MS = 800  # without a change before a scan: an editor writes a file in several steps
LONGEST_MS = 5000
LOOK_MS = 300_000  # between scans without a reported change: network folders report none


def followed(settings: Settings) -> list[Path]:
    """The folders and files of the articles that exist."""
    roots: list[Path] = [settings.seeds]
    with (
        suppress(StoreError),
        closing(Catalog(settings.index)) as catalog,
    ):  # no index yet: only its own folder
        roots += [Path(r) for r in catalog.roots()]
    return [r for r in roots if r.exists()]


def changes(settings: Settings) -> Iterator[None]:
    """Yield whenever the articles may have changed; ends with Ctrl-C."""
    from watchfiles import watch

    while True:
        places = followed(settings)
        for _ in watch(
            *places,
            debounce=LONGEST_MS,
            step=QUIET_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=True,
        ):
            yield
            if followed(settings) != places:
                break
