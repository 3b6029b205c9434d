"""The library: lists, adds, removes and restores articles, and indexes them in the background.

It does one piece of work at a time, while questions are answered. It knows the index and the folder of articles, not how
they are shown.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from rag.config import Settings
from rag.errors import CitewireError
from rag.ingest.build import Summary, Tell, build
from rag.ingest.maintenance import exclude
from rag.ingest.sources import READ
from rag.protocols import Embedder
from rag.schema import Article
from rag.store.base import Store
from rag.text.words import fold, plain

MOST_LISTED = 200  # articles shown at once; a search narrows them
MAX_FILES = 200  # of one addition
MAX_NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class Item:
    """An article of the index, and the number of its chunks."""

    article: Article
    chunks: int


@dataclass(frozen=True, slots=True)
class State:
    """What the library is doing: `busy` in words ("" for nothing), `done` of `total`, and the estimated seconds left. Then the
    result of the last work: its summary or why it failed, and the ids that were removed last."""

    busy: str = ""
    done: int = 0
    total: int = 0
    left_s: float | None = None
    summary: Summary | None = None
    error: str = ""
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()  # files that were not accepted, and why


def safe_name(name: str) -> str:
    """A file's name as it may stand in the folder of articles: no folders, nothing hidden or unprintable; "" for none."""
    bare = plain(re.split(r"[/\\]", name)[-1])
    bare = re.sub(r"[^\w.,' ()\[\]&+-]", "_", bare).strip(" .")
    stem, dot, suffix = bare.rpartition(".")
    return f"{stem[:MAX_NAME_CHARS]}{dot}{suffix}" if dot else bare[:MAX_NAME_CHARS]


class Library:
    """The articles of one corpus. Threads may share it."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        reading: Callable[[], AbstractContextManager[Store]],
    ) -> None:
        """`reading` gives the newest generation of the index."""
        self._settings = settings
        self._embedder = embedder
        self._reading = reading
        self._lock = threading.Lock()
        self._state = State()
        self._worker: threading.Thread | None = None

    def items(self, query: str = "", limit: int = MOST_LISTED) -> tuple[list[Item], int]:
        """The articles whose title, publisher, author or path has all words of `query`, by path: at most `limit` of them, and
        the number of all."""
        wanted = fold(query).split()
        found: list[Article] = []
        count = 0
        with self._reading() as store:
            for article in store.each_article() if wanted else store.articles(limit):
                facts = (f.value for f in (article.title, article.publisher, article.author) if f)
                text = fold(" ".join((article.path, *facts)))
                if all(word in text for word in wanted):
                    count += 1
                    if len(found) < limit:
                        found.append(article)
            chunks = store.chunks_by_article()
            total = count if wanted else store.article_count()
        return [Item(a, chunks.get(a.id, 0)) for a in found], total

    def state(self) -> State:
        """What is being done, or the result of the last work."""
        return self._state

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the current work has ended."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout_s)

    def add(self, files: Sequence[tuple[str, Path]]) -> State:
        """Copy files (name, where it lies) into the folder of articles, and index them in the background.

        A name that is there already gets a number. Files that are not accepted are listed in `State.refused`.
        """
        taken: list[Path] = []
        refused: list[str] = []
        folder = self._settings.seeds
        for number, (given, source) in enumerate(files):
            name = safe_name(given)
            suffix = Path(name).suffix.lower()
            if number >= MAX_FILES:
                refused.append(
                    f"{plain(given)}: more than {MAX_FILES} files at once; add the rest afterwards"
                )
            elif suffix not in READ:
                formats = ", ".join(sorted(s.lstrip(".") for s in READ))
                refused.append(
                    f"{plain(given) or 'a file without a name'}: its format is not read; known are {formats}"
                )
            else:
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                    taken.append(_copy(source, folder, name))
                except OSError as error:
                    refused.append(f"{plain(given)}: cannot be written to {folder}/ ({error.strerror})")
        if taken:
            self._start(
                "Adding", lambda tell: build(self._settings, self._embedder, tell, taken), tuple(refused)
            )
        else:
            self._state = State(refused=tuple(refused))
        return self._state

    def remove(self, id_: str) -> State:
        """Remove an article from the index; its file stays. Raises `StoreError` when it is not there."""
        with self._lock:
            if self._is_busy():
                return replace(self._state, error="Wait until the articles are indexed, then remove it.")
            ids = exclude(self._settings, self._embedder, [id_])
            self._state = State(removed=tuple(ids))
            return self._state

    def restore(self, id_: str) -> State:
        """Index a removed article again, in the background."""
        file = Path(id_.partition("#")[0])
        path = file if file.is_absolute() else self._settings.seeds / file
        self._start("Bringing back", lambda tell: build(self._settings, self._embedder, tell, [path]))
        return self._state

    def _is_busy(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _start(self, what: str, work: Callable[[Tell], Summary], refused: tuple[str, ...] = ()) -> None:
        with self._lock:
            before = self._worker if self._is_busy() else None
            self._state = State(busy=what, refused=refused)
            self._worker = threading.Thread(
                target=self._work, args=(what, work, refused, before), daemon=True
            )
            self._worker.start()

    def _work(
        self,
        what: str,
        work: Callable[[Tell], Summary],
        refused: tuple[str, ...],
        before: threading.Thread | None,
    ) -> None:
        if before is not None:
            before.join()
        started: dict[str, float] = {}

        def tell(step: str, done: int, total: int) -> None:
            passed = time.monotonic() - started.setdefault(step, time.monotonic())
            left = passed / done * (total - done) if done else None
            self._state = State(f"{what}: {step}", done, total, left, refused=refused)

        try:
            self._state = State(summary=work(tell), refused=refused)
        except CitewireError as error:
            self._state = State(error=str(error), refused=refused)


def _copy(source: Path, folder: Path, name: str) -> Path:
    """Copy a file into the folder under a free name, completely or not at all."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in range(1, 10_000):
        target = folder / (name if number == 1 else f"{stem} {number}{suffix}")
        if not target.exists():
            partial = folder / f".{target.name}.partial"
            try:
                shutil.copyfile(source, partial)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            return target
    raise OSError(17, "too many files of that name")
