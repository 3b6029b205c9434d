"""The model process: one loaded GGUF model behind one queue and one Unix socket.

Run as `python -m rag.models.llama_process FOLDER`. One such process serves every Citewire process of one machine user (page,
command line, evaluation), so that the model and the cached fixed prompt are in memory once.
The first process that needs it starts it. It stays while a client is connected, and ends `keep_alive_s` after the last one
has disconnected. A lock file, held for its whole life, makes it the only one. Locks and connections end with their
processes, so a crash on either side leaves nothing behind.

It knows neither what the prompts mean nor anything of articles.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import fcntl
import os
import resource
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from rag.errors import GenerationError, ModelError
from rag.models.llama_engine import Engine, Stopped
from rag.models.llama_protocol import (
    MAX_LINE_BYTES,
    VERSION,
    Reply,
    Request,
    private_folder,
    read_request,
    socket_address,
    to_line,
)

MAX_CLIENTS = 64
FIRST_LINE_S = 10.0  # a client must send its request within this time
UNCLAIMED_S = 30.0  # a process to which no client connects ends
LOCK_WAIT_S = 15.0  # for a predecessor that is about to end


class _Job:
    def __init__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.writer = writer
        self.arrived = time.monotonic()
        self.gone = threading.Event()  # the client disconnected: stop
        self.finished = asyncio.Event()

    def stopped(self) -> bool:
        return self.gone.is_set() or time.monotonic() > self.arrived + self.request.deadline_s


class _Server:
    """The queue, first come, first served, and the only thread that uses the model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._queue: list[_Job] = []  # the first is being served
        self._arrived = asyncio.Event()
        self._clients = 0
        self._keep_alive_s = UNCLAIMED_S
        self._leave_timer: asyncio.TimerHandle | None = None
        self._engine: Engine | None = None
        self._loaded: tuple[object, ...] = ()

    async def serve(self) -> None:
        """Serve until no client needs the model, or until another version asks this process to retire."""
        with socket_address(self._folder) as address:  # asyncio replaces a socket that a killed process left
            self._listening = await asyncio.start_unix_server(self._client, address, limit=MAX_LINE_BYTES)
        self._count(0)
        await self._work()
        self._leave()

    def _leave(self) -> None:
        (self._folder / "model.sock").unlink(missing_ok=True)  # first, so that nobody connects any more
        os._exit(0)  # this releases the lock; nothing else needs to be waited for

    def _count(self, change: int) -> None:
        self._clients += change
        if self._leave_timer is not None:
            self._leave_timer.cancel()
        if not self._clients:
            self._leave_timer = asyncio.get_running_loop().call_later(self._keep_alive_s, self._leave)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count(+1)
        try:
            if self._clients <= MAX_CLIENTS:
                await self._talk(reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # the client disconnected or sent nothing, so nobody gets an answer
        finally:
            writer.close()
            self._count(-1)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # drain() returns when everything is sent
        _say(writer, Reply("hello", VERSION, os.getpid()))
        try:
            request = read_request(await asyncio.wait_for(reader.readline(), FIRST_LINE_S))
        except ValueError as error:  # WireError, or a line over the limit
            _say(writer, Reply("generation", f"the model process cannot do what it was asked: {error}"))
            await writer.drain()
            return
        if request.op != "retire":
            self._keep_alive_s = request.keep_alive_s
        if request.op == "hold":
            await reader.read(1)
            return
        job = _Job(request, writer)
        self._queue.append(job)
        self._arrived.set()
        if before := len(self._queue) - 1:
            _say(writer, Reply("waiting", number=before))
        # The client has nothing more to send. Whatever arrives, including the end of the connection, means that it disconnects.
        left = asyncio.create_task(reader.read(1))
        done = asyncio.create_task(job.finished.wait())
        await asyncio.wait({left, done}, return_when=asyncio.FIRST_COMPLETED)
        if not job.finished.is_set():
            job.gone.set()
            if job is not self._queue[0]:
                self._remove(job)
        await done
        left.cancel()
        await writer.drain()

    def _remove(self, job: _Job) -> None:
        self._queue.remove(job)
        job.finished.set()
        for before, other in enumerate(self._queue):
            if before:
                _say(other.writer, Reply("waiting", number=before))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:  # llama.cpp: one context, one thread
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._queue:
                    job = self._queue[0]
                    if job.request.op == "retire":
                        return
                    if not job.stopped():
                        _say(job.writer, Reply("started"))
                    reply = await loop.run_in_executor(thread, self._answer, job, loop)
                    _say(job.writer, reply)
                    self._remove(job)

    def _answer(self, job: _Job, loop: asyncio.AbstractEventLoop) -> Reply:
        """Runs in the model's thread."""

        def emit(text: str) -> None:
            loop.call_soon_threadsafe(_say, job.writer, Reply("text", text))

        try:
            if job.stopped():
                raise Stopped
            engine = self._load(job.request)
            waited = time.monotonic() - job.arrived
            stats = engine.run(job.request, job.stopped, emit)
            return Reply("done", stats=replace(stats, waiting_s=waited))
        except Stopped:
            return Reply(
                "generation",
                f"no answer within {job.request.deadline_s:.3g} s; ask again, or raise answer_timeout_s in citewire.toml",
            )
        except GenerationError as error:
            return Reply("generation", str(error))
        except ModelError as error:
            return Reply("model", str(error))

    def _load(self, request: Request) -> Engine:
        """The engine for a request. Another model, or a changed file, replaces the one in memory."""
        try:
            found = Path(request.model).stat()
        except OSError as error:
            raise ModelError(
                f"{request.model}: {error.strerror}; get the model with: rag models get default"
            ) from None
        file = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        options = (request.model, request.context_tokens, request.threads)
        if self._engine is not None and self._loaded != (file, options):
            self._engine.close()
            self._engine = None
        if self._engine is None:
            self._engine, self._loaded = Engine(*options), (file, options)
        return self._engine


def _say(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if not writer.is_closing():
        writer.write(to_line(reply))


def _lock(folder: Path) -> bool:
    """Become the one model process of this folder, waiting for one that is about to end. False when another one serves."""
    # never closed: held until the process ends
    lock = os.open(folder / "model.lock", os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < end:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            with socket.socket(socket.AF_UNIX) as probe, socket_address(folder) as address:
                if probe.connect_ex(address) == 0:
                    return False
            time.sleep(0.05)
    return False


def main(folder: Path) -> None:
    """Serve in `folder` until no client needs the model. Returns at once when another process already serves there."""
    faulthandler.enable()
    private_folder(folder)
    if not _lock(folder):
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not write a core file of a gigabyte
    with contextlib.suppress(OSError):  # Linux: when memory runs out, this process is killed, not the page
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    os.umask(0o177)
    asyncio.run(_Server(folder).serve())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
