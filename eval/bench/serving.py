"""What `rag serve` adds to an answer: many clients at once against an assistant that takes a set time and does nothing.

Run as `python -m eval.bench.serving PORT` it is the server, in a process of its own as it would be.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from eval.bench.measures import quantile
from rag.protocols import Cancel
from rag.schema import (
    EVERY_ARTICLE,
    Answer,
    Article,
    Choice,
    Evidence,
    Passage,
    State,
    Statement,
    Status,
    Timings,
    Turn,
)
from rag.server.network import free_port

CLIENTS = 50
EACH = 10  # questions of one client, one after the other
LEAST_S, MOST_S = 0.5, 1.5  # that the stub takes, by the question: clients do not march in step
STARTING_S = 30.0
_BODY = "The strike of the ferry crews in Bergen lasted nine hours, the union said. " * 20
_ARTICLE = Article("a.txt", "1", "a.txt", _BODY)


def seconds_of(question: str) -> float:
    """What the stub takes for a question, always the same."""
    return LEAST_S + (MOST_S - LEAST_S) * sha256(question.encode()).digest()[0] / 255


class Stub:
    """Answers with evidence of a usual size, after a set time."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        cancel: Cancel = lambda: False,
        choice: Choice = EVERY_ARTICLE,
    ) -> Iterator[Answer]:
        """See `rag.assistant.Assistant.stream`."""
        evidence = tuple(
            Evidence(n, _ARTICLE, 75 * n, 75 * n + 74, _BODY[75 * n : 75 * n + 74]) for n in range(1, 7)
        )
        yield Answer(question, question, Status.DRAFTING, evidence=evidence)
        time.sleep(seconds_of(question))
        statement = Statement(1, "It lasted nine hours.", (1,), State.SUPPORTED)
        yield Answer(
            question, question, Status.ANSWERED, (statement,), evidence, timings=Timings(0.1, total_s=1.0)
        )

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        """Nothing."""
        return []

    def articles(self, limit: int = -1) -> list[Article]:
        """The one article."""
        return [_ARTICLE]

    def article(self, id_: str) -> Article | None:
        """The one article."""
        return _ARTICLE

    def writers(self) -> list[str]:
        """None."""
        return []


async def _ask(address: str, is_stream: bool) -> tuple[list[float], int]:
    """Seconds beyond the stub's own, of each question of all clients; how many failed."""
    import httpx

    beyond: list[float] = []
    failed = 0
    ready = asyncio.Barrier(CLIENTS)

    async def client(number: int) -> None:
        nonlocal failed
        async with httpx.AsyncClient(base_url=address, timeout=60, verify=False) as http:
            await http.get("/health")
            await ready.wait()  # making the clients takes this process a while, which is not the server's
            for turn in range(EACH):
                question = f"How long did strike {number}.{turn} last?"
                body = {"messages": [{"role": "user", "content": question}], "stream": is_stream}
                started = time.perf_counter()
                done = await http.post("/v1/chat/completions", json=body)
                beyond.append(time.perf_counter() - started - seconds_of(question))
                failed += done.status_code != 200 or "nine hours" not in done.text

    await asyncio.gather(*(client(n) for n in range(CLIENTS)))
    return beyond, failed


def serving(report: Callable[[str, int, int], None]) -> dict[str, object]:
    """The own time of the interface with `CLIENTS` clients at once: median and 99th percentile, and what failed."""
    import httpx

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    found: dict[str, object] = {
        "clients": CLIENTS,
        "questions": CLIENTS * EACH,
        "answer_s": [LEAST_S, MOST_S],
    }
    with subprocess.Popen([sys.executable, "-m", "eval.bench.serving", str(port)]) as process:
        try:
            end = time.monotonic() + STARTING_S
            while True:
                try:
                    httpx.get(f"{address}/health")
                    break
                except httpx.HTTPError:
                    assert time.monotonic() < end and process.poll() is None, "the server does not start"
                    time.sleep(0.1)
            for number, (name, is_stream) in enumerate((("whole", False), ("streamed", True))):
                report("serving", number, 2)
                beyond, failed = asyncio.run(_ask(address, is_stream))
                found |= {
                    f"{name}_p50_s": quantile(beyond, 0.5),
                    f"{name}_p99_s": quantile(beyond, 0.99),
                    f"{name}_failed": failed,
                }
        finally:
            process.terminate()
    return found


if __name__ == "__main__":
    import uvicorn

    from rag.server.http import make_api

    uvicorn.run(make_api(Stub()), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
