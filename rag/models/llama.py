"""The generator on llama.cpp: a client of the one model process of this user, which it starts when there is none.

Each call has its own connection, and closing it cancels the call. The model process has the queue. After its first call a
generator keeps another connection open, so that the model stays in memory.
This module never loads llama.cpp, and does not know what the prompts mean.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rag.errors import GenerationError, ModelError, StoppedError
from rag.models.call import POLL_S, Call
from rag.models.llama_protocol import (
    MAX_LINE_BYTES,
    VERSION,
    GenerationStats,
    Reply,
    Request,
    WireError,
    private_folder,
    read_reply,
    socket_address,
    to_line,
)
from rag.protocols import Cancel, Prompt

__all__ = ["GenerationStats", "LlamaGenerator"]

# Long enough to think of the next question: a cold start first reads about 900 tokens of fixed prompt, which takes 10 s and
# more. Short enough not to occupy a gigabyte after the user has left.
KEEP_ALIVE_S = 300.0
GRACE_S = 1.0  # after the deadline the model process stops by itself, if nobody closes the connection
MAX_LOG_BYTES = 65_536
SMALLEST_MODEL_BYTES = 4096


class LlamaGenerator:
    """A GGUF model. Threads may share it. Calls are served in order of arrival, from whichever process they come."""

    def __init__(
        self,
        model: Path,
        *,
        context_tokens: int = 4096,
        threads: int = 2,
        lock_dir: Path,
        on_wait: Callable[[str], None] = lambda message: None,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        """Loads nothing. `context_tokens` is the limit for prompt and answer together. `lock_dir` is a folder of the user,
        the same for all processes that share the model. `on_wait` gets a line when others are served first.
        `keep_alive_s` is how long the model stays in memory after its last client has disconnected."""
        self.last_stats: GenerationStats | None = None  # of the last call that ended by itself
        self._model = model.absolute()
        self._request = Request(
            op="generate",
            model=str(self._model),
            context_tokens=context_tokens,
            threads=threads,
            keep_alive_s=keep_alive_s,
        )
        self._folder = lock_dir.absolute()
        self._on_wait = on_wait
        self._lock = threading.Lock()  # of what follows
        self._held: _Link | None = None
        self._process: subprocess.Popen[bytes] | None = None  # the last one started here
        self._process_spoke = False

    @property
    def name(self) -> str:
        """The model file's name without its ending."""
        return self._model.stem

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str = "",
        max_tokens: int,
        deadline_s: float,
        cancel: Cancel,
    ) -> Iterator[str]:
        """See `Generator.generate`. With `max_tokens=0` the prompt is only read.

        The first segment is cached completely for the next prompt that begins with it.
        """
        call = Call(deadline_s, cancel, "the model was still starting")
        check_model_file(self._model)
        self._hold(call)
        request = replace(self._request, prompt=prompt, grammar=grammar, max_tokens=max_tokens)
        while True:
            link = self._connect(call)
            try:
                if link.send(replace(request, deadline_s=call.left_s() + GRACE_S)) and (
                    yield from self._answer(link, call)
                ):
                    return
            finally:
                link.close()
            time.sleep(POLL_S)  # that process ended before this call's turn

    @property
    def process_id(self) -> int | None:
        """The process id of the model process in use, None before the first call."""
        with self._lock:
            return self._held.process_id if self._held is not None else None

    def close(self) -> None:
        """Disconnect from the model process. It ends `keep_alive_s` after its last client. A later call starts it again."""
        with self._lock:
            if self._held is not None:
                self._held.close()
                self._held = None

    def _answer(self, link: _Link, call: Call) -> Generator[str, None, bool]:
        """The texts. Returns false when the model process left before this call's turn."""
        started = False
        while True:
            reply = link.receive(call)
            if reply is None:
                if started:
                    raise GenerationError(f"the model process died{self._cause(link.process_id)}; ask again")
                return False
            if reply.kind == "waiting":
                self._on_wait(f"waiting for the model: {reply.number} before you")
                call.phase = "others were using the model"
            elif reply.kind == "started":
                started = True
                call.phase = "the machine was too slow or too busy"
            elif reply.kind == "text":
                yield reply.text
            elif reply.kind == "done":
                self.last_stats = reply.stats
                return True
            elif reply.kind == "model":
                raise ModelError(reply.text)
            else:
                raise GenerationError(reply.text)

    def _hold(self, call: Call) -> None:
        """Keep a connection open, so that the model process stays while this generator is in use."""
        while not self._lock.acquire(timeout=POLL_S):
            call.check()
        try:
            while self._held is None or not self._held.is_open():
                link = self._connect(call)
                self._held = link if link.send(replace(self._request, op="hold")) else None
        finally:
            self._lock.release()

    def _connect(self, call: Call) -> _Link:
        """A connection to a model process of the same version that has said hello. Starts the process where there is none."""
        private_folder(self._folder)
        while True:
            call.check()
            link = _Link.open(self._folder)
            if link is None:
                self._start()
                time.sleep(POLL_S / 2)
                continue
            try:
                hello = link.receive(call)
                if hello is None:
                    link.close()  # it was about to end
                elif hello.kind == "hello" and hello.text == VERSION:
                    link.process_id = hello.number
                    if self._process is not None and self._process.pid == hello.number:
                        self._process_spoke = True
                    return link
                else:
                    self._on_wait("waiting for the model: another version of Citewire is using it")
                    call.phase = "another version of Citewire was using the model"
                    link.send(Request(op="retire"))
                    link.await_end(call)
            except BaseException:
                link.close()
                raise
            time.sleep(POLL_S)

    def _start(self) -> None:
        """Start a model process, unless one is already starting. When two start at once, one gives up by itself."""
        path = self._folder / "model.log"
        if self._process is not None:
            status = self._process.returncode  # set by the thread that waits for the process
            if status is None:
                return
            if status != 0 and not self._process_spoke:
                self._process = None
                raise ModelError(f"the model process could not start ({_describe(status)}); see {path}")
        try:
            # For the output of Python and llama.cpp at a crash; kept small.
            with path.open("ab") as log:
                if log.tell() > MAX_LOG_BYTES:
                    log.truncate(0)
                process = subprocess.Popen(
                    [sys.executable, "-m", "rag.models.llama_process", str(self._folder)],
                    cwd=Path(__file__).resolve().parents[2],
                    env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "GGML_NO_BACKTRACE": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C here must not end the answer of another client
                )
        except OSError as error:
            raise ModelError(
                f"the model process could not start ({error}); free memory or disk and ask again"
            ) from None
        self._process, self._process_spoke = process, False
        threading.Thread(target=process.wait, name="model-process", daemon=True).start()  # leaves no zombie

    def _cause(self, process_id: int) -> str:
        """How a process ended, in brackets. Known only where it was started here."""
        process = self._process
        if process is None or process.pid != process_id:
            return ""
        with suppress(subprocess.TimeoutExpired):
            return f" ({_describe(process.wait(2))})"
        return ""


def check_model_file(path: Path) -> None:
    """Raise `ModelError` where `path` is evidently not a GGUF model. Does not load it."""
    again = "get the model with: rag models get default"
    try:
        with path.open("rb") as file:
            start = file.read(SMALLEST_MODEL_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {again}") from None
    if not start.startswith(b"GGUF") or len(start) < SMALLEST_MODEL_BYTES:
        raise ModelError(f"{path}: not a GGUF model, or only the beginning of one; {again}")


def _describe(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    known = {s.value: f" {s.name}" for s in signal.Signals}
    cause = ", perhaps out of memory" if status == -signal.SIGKILL else ""
    return f"signal {-status}{known.get(-status, '')}{cause}"


class _Link:
    """A connection to the model process, read line by line."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = bytearray()
        self.process_id = 0

    @classmethod
    def open(cls, folder: Path) -> _Link | None:
        """A new connection, or None when nobody listens."""
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(POLL_S)
        try:
            with socket_address(folder) as address:
                connected.connect(address)
        except OSError:
            connected.close()
            return None
        return cls(connected)

    def send(self, request: Request) -> bool:
        """Send a request. False when the other side has closed the connection."""
        line = to_line(request)
        if len(line) > MAX_LINE_BYTES:
            raise GenerationError(
                f"the prompt has {len(line)} bytes, at most {MAX_LINE_BYTES} are read; shorten it"
            )
        try:
            self._socket.settimeout(5.0)
            self._socket.sendall(line)
        except (ConnectionError, TimeoutError):
            return False
        return True

    def receive(self, call: Call) -> Reply | None:
        """The next reply; None when the other side has closed the connection. Raises as `call.check` does."""
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                if call.cancel():
                    raise StoppedError("stopped")
                try:
                    return read_reply(bytes(line))
                except WireError as error:
                    raise GenerationError(
                        f"the model process sent something unreadable ({error}); ask again"
                    ) from None
            if len(self._buffer) > MAX_LINE_BYTES:
                raise GenerationError("the model process sent a line without end; ask again")
            if not self._more(call):
                return None

    def await_end(self, call: Call) -> None:
        """Wait until the other side closes the connection, and ignore what it sends."""
        while self._more(call):
            self._buffer.clear()

    def _more(self, call: Call) -> bool:
        self._socket.settimeout(POLL_S)
        while True:
            call.check()
            try:
                data = self._socket.recv(65_536)
            except TimeoutError:
                continue
            except ConnectionError:
                return False
            self._buffer += data
            return bool(data)

    def is_open(self) -> bool:
        """Whether the connection is still open."""
        self._socket.setblocking(False)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except ConnectionError:
            return False

    def close(self) -> None:
        """Close the connection. The model process then stops work on its request."""
        self._socket.close()
