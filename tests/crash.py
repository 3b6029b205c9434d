"""Kills updates of an index and looks at what is left. `python -m tests.crash FOLDER writes|moments NUMBER`: kill it
at every NUMBERth of its writes, with the shim preloaded, or at NUMBER random moments.

This process only forks: one child makes the update and is killed, another opens what is left. So nothing that is loaded
here (threads of FAISS or tantivy) is ever carried over a fork.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import faiss  # noqa: F401  loaded once, used in the children alone
import filelock  # noqa: F401
import langchain_text_splitters  # noqa: F401
import tantivy  # noqa: F401

from rag.config import Settings
from rag.ingest.build import build, fingerprint_of
from rag.retrieval.hybrid import retrieve
from rag.store.local import LocalStore
from tests.fakes import WordEmbedder

QUERIES = ("the river rose", "ministers in Ankara", "dockers stopped work", "grain exports")


def in_child(work: Callable[[], str]) -> tuple[int, str]:
    """Run `work` in a forked process; its exit status and what it returned."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        try:
            os.write(writing, work().encode())
            status = 0
        except BaseException as error:  # noqa: BLE001  told to the parent
            os.write(writing, repr(error).encode())
        finally:
            os._exit(status)
    os.close(writing)
    parts = []
    while block := os.read(reading, 65536):
        parts.append(block)
    os.close(reading)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), b"".join(parts).decode()


def prepare(folder: Path) -> Settings:
    """Articles, and an index that is not up to them: one article is to be added, one to change, one to go, one moved."""
    seeds = folder / "seeds"
    seeds.mkdir(parents=True)
    texts = {
        "a.txt": "Floods hit Valencia\n\nThe river rose four metres on Monday. Two bridges fell.",
        "b.txt": "Talks on grain\n\nMinisters met in Ankara for three hours about grain exports.",
        "c.txt": "Vote in Oslo\n\nParliament voted on the fishing law on Tuesday.",
        "d.txt": "Storm in Porto\n\nThe harbour was closed for two days by a storm.",
    }
    for name, text in texts.items():
        (seeds / name).write_text(text, "utf-8")
    settings = Settings(seeds=seeds, index=folder / "index", cache=folder / "cache")
    assert in_child(lambda: build(settings, WordEmbedder()).__repr__())[0] == 0
    (seeds / "a.txt").write_text("Floods hit Valencia\n\nThe river rose five metres on Monday.", "utf-8")
    (seeds / "c.txt").unlink()
    (seeds / "d.txt").rename(seeds / "e.txt")
    (seeds / "n.txt").write_text("Strike at the port\n\nDockers stopped work for two days in Genoa.", "utf-8")
    return settings


def state(settings: Settings) -> str:
    """A digest of all that a reader can see: articles, chunks, and what questions find."""
    embedder = WordEmbedder()
    store = LocalStore(settings.index, fingerprint_of(settings, embedder))
    seen: list[object] = [(a.id, a.version, a.body) for a in store.articles()]
    seen.append(store.chunk_count())
    for query in QUERIES:
        seen.append([(p.article.id, p.chunk.text) for p in retrieve(store, embedder, query, 5)])
    store.close()
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def update(settings: Settings) -> str:
    """Bring the index up to the articles."""
    return str(build(settings, WordEmbedder()).generation)


def main() -> None:
    """Print what was tried and what was left, as JSON."""
    folder, mode, given = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    settings = prepare(folder)
    shim = ctypes.CDLL(None)
    trial = replace(settings, index=folder / "trial")

    def fresh() -> None:
        shutil.rmtree(trial.index, ignore_errors=True)
        shutil.copytree(settings.index, trial.index)

    old = in_child(lambda: state(settings))[1]
    fresh()
    started = time.monotonic()

    def counted() -> str:
        if mode == "writes":
            shim.crash_at(-1)
        update(trial)
        return str(shim.crash_count() if mode == "writes" else 0)

    status, text = in_child(counted)
    lasts = time.monotonic() - started
    assert status == 0, text
    new = in_child(lambda: state(trial))[1]
    assert old != new
    rng = random.Random(0)
    trials = range(1, int(text) + 1, given) if mode == "writes" else range(given)
    seen = {"old": 0, "new": 0}
    killed, bad = 0, []
    for number in trials:
        fresh()
        if mode == "writes":

            def doomed(number: int = number) -> str:
                shim.crash_at(number)
                return update(trial)

            killed += in_child(doomed)[0] == -signal.SIGKILL
        else:
            pid = os.fork()
            if pid == 0:
                update(trial)
                os._exit(0)
            time.sleep(rng.uniform(0, lasts))
            os.kill(pid, signal.SIGKILL)
            killed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        status, found = in_child(lambda: state(trial))
        if status or found not in (old, new):
            bad.append(f"{number}: {found}")
            continue
        seen["old" if found == old else "new"] += 1
        status, text = in_child(lambda: update(trial) + state(trial))
        if status or not text.endswith(new):
            bad.append(f"{number}: the next update gives {text}")
    print(json.dumps({"tried": len(trials), "killed": killed, **seen, "bad": bad, "lasts_s": lasts}))


if __name__ == "__main__":
    main()
