"""The model process: one loaded GGUF model, one queue, one Unix socket. Also the lines that are spoken over it.

Run as `python -m rag.llama_child FOLDER`. One such process serves every Citewire process of one machine user (page,
command line, evaluation), so that the model is in memory once and its memory of the fixed prompt serves all of them.
It belongs to nobody in particular: it is started by whoever needs it first, stays while somebody is connected, and
leaves `keep_alive_s` after the last one left. A lock file held for its whole life makes it the only one; the lock and
the connections vanish with their processes, so nothing is left behind by a crash on either side.

llama.cpp may abort the process (bad file, no memory); that is why nothing else lives here.
It does not know what the prompts mean, nor anything of articles.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import ctypes
import faulthandler
import fcntl
import hashlib
import json
import math
import os
import resource
import socket
import stat
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import GenerationError, ModelError
from rag.protocols import Prompt, Segment

# Processes of different versions find each other out by this and never share a model.
VERSION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
MAX_LINE_BYTES = 1_000_000  # a prompt is about 10 kB
MAX_CLIENTS = 64
MAX_TOKENS = 4096  # of one answer
SLICE_TOKENS = 128  # the prompt is read in slices, so that a reader who leaves frees the model at once
FIRST_LINE_S = 10.0  # a client says what it wants within this time
UNCLAIMED_S = 30.0  # a process nobody connects to gives up
LOCK_WAIT_S = 15.0  # for a predecessor that is on its way out
NARROW = 64  # most tokens that a grammar rejects have an allowed one among the best 64

# ---------------------------------------------------------------------------------------------------- the wire


def _has_amx() -> bool:
    """Whether the processor multiplies matrices in tiles (Linux tells; elsewhere such processors are no laptops)."""
    try:
        return " amx_int8" in Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        return False


class WireError(ValueError):
    """A line that is not what the other side may say."""


@dataclass(frozen=True, slots=True)
class Request:
    """The one line a client sends. `op`: "generate"; "hold" (keep the process while connected); "retire" (leave
    when the queue is empty up to here: what another version asks, so it must never change its meaning)."""

    op: str = ""
    model: str = ""
    context_tokens: int = 0
    threads: int = 0
    prompt: Prompt = ()
    grammar: str = ""
    max_tokens: int = 0
    deadline_s: float = 0.0
    keep_alive_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """What one call cost. Tokens of the prompt = read + reused; times in seconds."""

    read_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    waiting_s: float = 0.0  # for other questions, and for the model to load
    reading_s: float = 0.0
    writing_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A line from the model process. `kind`: "hello" (text: version, number: process id), "waiting" (number: how many
    are before), "started", "text", "done" (stats), "model" and "generation" (the two
    kinds of error, with their text)."""

    kind: str = ""
    text: str = ""
    number: int = 0
    stats: GenerationStats = GenerationStats()


Value = TypeVar("Value", Request, Reply, GenerationStats, Segment)


def to_line(value: Request | Reply) -> bytes:
    """One line of JSON, ASCII only."""
    return json.dumps(asdict(value)).encode("ascii") + b"\n"


def _read(kind: type[Value], table: object, **ready: object) -> Value:
    """A `kind` from a JSON object: known names only, each of its own type; what is missing keeps its default."""
    if not isinstance(table, dict):
        raise WireError(f"not a {kind.__name__}")
    known = {f.name: f for f in fields(kind)}
    values = dict(ready)
    for name, value in table.items():
        if name in ready:
            continue
        expected = known[name].type if name in known else None
        if expected == "float" and type(value) in (int, float) and math.isfinite(value):
            values[name] = float(value)
        elif expected == type(value).__name__ and expected in ("str", "int", "bool"):
            values[name] = value
        else:
            raise WireError(f"{kind.__name__}: {str(name)[:40]} is not expected or not of its type")
    try:
        return kind(**values)  # type: ignore[arg-type]
    except TypeError as error:
        raise WireError(str(error)) from None


def _table(line: bytes) -> dict[str, object]:
    try:
        table = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not a line of JSON ({type(error).__name__})") from None
    if not isinstance(table, dict):
        raise WireError("not a JSON object")
    return table


def read_request(line: bytes) -> Request:
    """The request in `line`. Raises `WireError` when it is not one that can be served."""
    table = _table(line)
    prompt = table.get("prompt", [])
    if not isinstance(prompt, list):
        raise WireError("the prompt is not a list")
    request = _read(Request, table, prompt=tuple(_read(Segment, item) for item in prompt))
    if request.op == "retire":
        return request
    if request.op not in ("generate", "hold"):
        raise WireError(f"unknown request {request.op[:40]!r}")
    for name, low, high in (
        ("context_tokens", 256, 131_072),
        ("threads", 1, 256),
        ("max_tokens", 0, MAX_TOKENS),
        ("deadline_s", 0, 86_400),
        ("keep_alive_s", 0, 86_400),
    ):
        if not low <= getattr(request, name) <= high:
            raise WireError(f"{name} = {getattr(request, name)} is out of range ({low} to {high})")
    if "\0" in request.grammar or "\0" in request.model:
        raise WireError("a NUL character")
    return request


def read_reply(line: bytes) -> Reply:
    """The reply in `line`. Raises `WireError` when it is not one."""
    table = _table(line)
    return _read(Reply, table, stats=_read(GenerationStats, table.get("stats", {})))


# ------------------------------------------------------------------------------------------------- the folder


def private_folder(folder: Path) -> Path:
    """Make `folder` if it is missing, for its owner alone. Raises `ModelError` when it is somebody else's."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise ModelError(
            f"{folder}: cannot be made ({error.strerror}); choose another place with CITEWIRE_CACHE"
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ModelError(
            f"{folder}: not a folder of your own; remove it or choose another with CITEWIRE_CACHE"
        )
    return folder


@contextlib.contextmanager
def socket_address(folder: Path) -> Iterator[str]:
    """The address of the socket in `folder`, for the time of one bind or connect.

    An address may have 107 bytes; a longer path is reached through the open folder.
    """
    path = str(folder / "model.sock")
    if len(os.fsencode(path)) <= 100:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/model.sock"
    finally:
        os.close(descriptor)


# -------------------------------------------------------------------------------------------------- the model


class _Stopped(Exception):
    """Nobody is waiting for the answer any more, or its time is over."""


_complaints: deque[str] = deque(maxlen=20)  # the last lines that llama.cpp wrote as warnings or errors


def _listen(level: int, text: bytes, _user: object) -> None:
    if level in (2, 3):  # GGML_LOG_LEVEL_WARN, GGML_LOG_LEVEL_ERROR
        _complaints.append(text.decode("utf-8", "replace").strip()[:300])


class Cores:
    """How many cores other processes leave free, measured over the last while (Linux; elsewhere: all of them).

    llama.cpp's threads wait for each other by spinning, hundreds of times a token. Where another process takes a core
    from one of them, all wait: on two busy cores, two threads were seen to write 40 times slower than one.
    """

    WINDOW_S = 0.1  # the kernel counts in hundredths of a second

    def __init__(self) -> None:
        self._count = os.cpu_count() or 1
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._before = self._now()

    def _now(self) -> tuple[float, float, float] | None:
        """Seconds on the clock, of all cores being busy, and of those our own."""
        try:
            with Path("/proc/stat").open(encoding="ascii") as file:
                user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        except (OSError, ValueError):
            return None
        busy = user + nice + system + irq + softirq + steal
        return time.monotonic(), busy / self._ticks, time.process_time()

    def free(self, fresh: bool = False) -> float | None:
        """Cores that others left free since the last look; None when that was only just now. `fresh`: look again now,
        for the time of one window, because the last look is an old story."""
        if fresh:
            self._before = self._now()
            time.sleep(self.WINDOW_S)
        if self._before is None:
            return self._count
        if time.monotonic() < self._before[0] + self.WINDOW_S:
            return None
        before, self._before = self._before, self._now()
        if self._before is None:
            return self._count
        clock, busy, own = (now - then for now, then in zip(self._before, before, strict=True))
        return self._count - max(0.0, busy - own) / clock


@cache
def _llama_cpp() -> tuple[Any, object]:
    """The library, ready for use, and the callback that it holds on to for the rest of the process."""
    import llama_cpp

    callback = llama_cpp.llama_log_callback(_listen)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp, callback


class Engine:
    """A loaded model with its memory of the last prompt. Used by one thread at a time.

    Same prompt, same text, whatever was asked before: what is kept from an earlier prompt is only ever whole slices
    that a fresh start would read in the same way.
    """

    def __init__(self, path: str, context_tokens: int, threads: int) -> None:
        """Load the model. Raises `ModelError` when llama.cpp refuses the file."""
        c = self._c = _llama_cpp()[0]
        _complaints.clear()
        model = c.llama_model_default_params()
        # llama.cpp's own layout of weights for AMX processors ends in a segmentation fault (0.3.36, seen on a Xeon).
        model.use_extra_bufts = not _has_amx()
        model.n_gpu_layers = 0
        model.load_mode = c.LLAMA_LOAD_MODE_MMAP
        self._model = c.llama_model_load_from_file(os.fsencode(path), model)
        if not self._model:
            raise ModelError(self._refusal(path))
        options = c.llama_context_default_params()
        options.n_ctx = self._context_tokens = context_tokens
        options.n_batch = options.n_ubatch = SLICE_TOKENS
        options.n_outputs_max = 1  # only the last token's scores are ever looked at
        options.n_threads = options.n_threads_batch = self._threads = threads
        self._cores = Cores()
        options.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED
        options.no_perf = True
        self._stopped: Callable[[], bool] = lambda: False
        # Asked before every step of the computation: a slice takes seconds on a busy machine.
        self._abort = c.ggml_abort_callback(lambda _: self._stopped())
        options.abort_callback = self._abort
        self._context = c.llama_init_from_model(self._model, options)
        if not self._context:
            c.llama_model_free(self._model)
            raise ModelError(self._refusal(path))
        self._vocab = c.llama_model_get_vocab(self._model)
        self._vocab_size = c.llama_vocab_n_tokens(self._vocab)
        self._memory = c.llama_get_memory(self._context)
        self._batch = c.llama_batch_init(SLICE_TOKENS, 0, 1)
        self._kept: list[tuple[int, ...]] = []  # slices in the model's memory, from the start

    def close(self) -> None:
        """Give the memory back."""
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)
        self._c.llama_model_free(self._model)

    @staticmethod
    def _refusal(path: str) -> str:
        # The first complaint is the cause, the later ones say that loading failed.
        reason = _complaints[0] if _complaints else "no reason given"
        return f"{path}: llama.cpp cannot load this model ({reason}); get a whole one with: rag models get default"

    def tokens(self, segment: Segment) -> list[int]:
        """Token ids of a segment. Control tokens, and what else is special in the vocabulary, only where it is trusted."""
        c = self._c
        data = segment.text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (c.llama_token * size)()
        count = c.llama_tokenize(self._vocab, data, len(data), buffer, size, False, segment.trusted)
        if count < 0:
            raise GenerationError("the prompt cannot be cut into tokens; shorten the question")
        found = list(buffer[:count])
        if segment.trusted:
            return found
        # llama.cpp leaves "user defined" tokens in. Cut the text inside each, so that only plain tokens remain.
        for token in found:
            if self._is_special(token):
                mark = c.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace")
                parts = segment.text.split(mark)
                if len(mark) < 2 or len(parts) < 2:
                    return [t for t in found if not self._is_special(t)]
                texts = [
                    parts[0] + mark[0],
                    *(mark[1:] + p + mark[0] for p in parts[1:-1]),
                    mark[1:] + parts[-1],
                ]
                return [t for text in texts for t in self.tokens(Segment(text))]
        return found

    def _is_special(self, token: int) -> bool:
        c = self._c
        special = c.LLAMA_TOKEN_ATTR_CONTROL | c.LLAMA_TOKEN_ATTR_UNKNOWN | c.LLAMA_TOKEN_ATTR_USER_DEFINED
        return bool(c.llama_vocab_get_attr(self._vocab, token) & special)

    def _slices(self, prompt: Prompt) -> list[tuple[int, ...]]:
        # The first segment is what all prompts share: it ends with a slice of its own, so that it can be kept whole.
        parts = [self.tokens(segment) for segment in prompt]
        runs = [*parts[:1], [token for part in parts[1:] for token in part]]
        return [
            tuple(run[start : start + SLICE_TOKENS])
            for run in runs
            for start in range(0, len(run), SLICE_TOKENS)
        ]

    def _rewind(self, slices: list[tuple[int, ...]]) -> int:
        """Forget all but the leading slices that the prompt shares; the number of tokens kept."""
        same = 0
        while same < min(len(self._kept), len(slices) - 1) and self._kept[same] == slices[same]:
            same += 1  # never the last one: its scores are needed
        del self._kept[same:]
        count = sum(map(len, self._kept))
        if not self._c.llama_memory_seq_rm(self._memory, 0, count, -1):
            self._forget()  # a kind of model whose memory cannot be cut
            return 0
        return count

    def _forget(self) -> None:
        self._kept.clear()
        self._c.llama_memory_clear(self._memory, True)

    def _share_cores(self, fresh: bool = False) -> None:
        """As many threads as there are cores free for them. The number of threads changes no result, only the time."""
        if self._threads > 1 and (free := self._cores.free(fresh)) is not None:
            count = max(1, min(self._threads, int(free + 0.25)))
            self._c.llama_set_n_threads(self._context, count, count)

    def _decode(self, tokens: tuple[int, ...], position: int) -> None:
        self._share_cores()
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, position + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = i == len(tokens) - 1
        status = self._c.llama_decode(self._context, batch)
        if status == 2:
            raise _Stopped
        if status != 0:
            self._forget()
            raise GenerationError(f"llama.cpp cannot go on (status {status}); ask again")

    def _sampler(self, grammar: str) -> object | None:
        if not grammar:
            return None
        _complaints.clear()
        sampler = self._c.llama_sampler_init_grammar(self._vocab, grammar.encode("utf-8", "replace"), b"root")
        if not sampler:
            raise GenerationError(
                f"the grammar cannot be read: {_complaints[0] if _complaints else grammar[:80]}"
            )
        return sampler  # type: ignore[no-any-return]

    def _best(self, sampler: object | None) -> int:
        """The token with the highest score that the grammar allows; of equals, the lowest id.

        A grammar walks its rules for every token that it is asked about, and the vocabulary has 150,000: so it is
        asked about the best one first, then about the best few, and about all only when none of those will do.
        """
        import numpy as np

        c = self._c
        scores = np.ctypeslib.as_array(c.llama_get_logits_ith(self._context, -1), (self._vocab_size,))
        best = int(scores.argmax())
        if sampler is None:
            return best
        for count in (1, NARROW, self._vocab_size):
            if count == 1:
                ids = np.array([best])
            elif count < self._vocab_size:
                ids = np.sort(np.argpartition(scores, -count)[-count:])
            else:
                ids = np.arange(self._vocab_size)
            rows = np.zeros(len(ids), dtype=[("id", np.int32), ("logit", np.float32), ("p", np.float32)])
            rows["id"], rows["logit"] = ids, scores[ids]
            candidates = c.llama_token_data_array(
                data=rows.ctypes.data_as(c.llama_token_data_p), size=len(ids), selected=-1, sorted=False
            )
            c.llama_sampler_apply(sampler, ctypes.byref(candidates))
            choice = int(rows["logit"].argmax())
            if np.isfinite(rows["logit"][choice]):
                return int(rows["id"][choice])
        raise GenerationError("the grammar leaves the model nothing to write; ask again in other words")

    def _bytes(self, token: int) -> bytes:
        for size in (64, 4096):
            buffer = ctypes.create_string_buffer(size)
            count = self._c.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if count >= 0:
                return buffer.raw[:count]
        return b""

    def run(
        self, request: Request, stopped: Callable[[], bool], emit: Callable[[str], None]
    ) -> GenerationStats:
        """Continue the prompt; whole characters go to `emit`.

        Raises `GenerationError`, or `_Stopped` soon after `stopped()` turned true. Afterwards the next call is right, whatever was raised."""
        c = self._c
        begun = time.monotonic()
        slices = self._slices(request.prompt)
        total = sum(map(len, slices))
        if not total:
            raise GenerationError("the prompt is empty")
        excess = total + request.max_tokens - self._context_tokens
        if excess > 0:
            raise GenerationError(
                f"the prompt is {excess} tokens too long ({total} and {request.max_tokens} for the answer, "
                f"the model is given {self._context_tokens}); shorten the question or show less evidence"
            )
        sampler = self._sampler(request.grammar)
        self._stopped = stopped
        self._share_cores(fresh=True)
        try:
            position = reused = self._rewind(slices)
            for piece in slices[len(self._kept) :]:
                if stopped():
                    raise _Stopped
                self._decode(piece, position)
                self._kept.append(piece)
                position += len(piece)
            read = time.monotonic()
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            written = 0
            while written < request.max_tokens:
                if stopped():
                    raise _Stopped
                token = self._best(sampler)
                if c.llama_vocab_is_eog(self._vocab, token):
                    break
                if sampler is not None:
                    c.llama_sampler_accept(sampler, token)
                written += 1
                if text := decoder.decode(self._bytes(token)):
                    emit(text)
                if written < request.max_tokens:
                    self._decode((token,), position)
                    position += 1
        finally:
            self._stopped = lambda: False
            if sampler is not None:
                c.llama_sampler_free(sampler)
        return GenerationStats(total - reused, reused, written, 0.0, read - begun, time.monotonic() - read)


# ------------------------------------------------------------------------------------------------- the server


class _Job:
    def __init__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.writer = writer
        self.arrived = time.monotonic()
        self.gone = threading.Event()  # the client left: stop
        self.finished = asyncio.Event()

    def stopped(self) -> bool:
        return self.gone.is_set() or time.monotonic() > self.arrived + self.request.deadline_s


class _Server:
    """The queue, first come, first served, and the one thread that touches the model."""

    def __init__(self) -> None:
        self._line: list[_Job] = []  # the first is being served
        self._arrived = asyncio.Event()
        self._clients = 0
        self._keep_alive_s = UNCLAIMED_S
        self._farewell: asyncio.TimerHandle | None = None
        self._leave = asyncio.Event()
        self._engine: Engine | None = None
        self._loaded: tuple[object, ...] = ()

    async def serve(self, listener: socket.socket) -> None:
        """Serve until nobody needs the model any more, or until another version asks for its place."""
        server = await asyncio.start_unix_server(self._client, sock=listener, limit=MAX_LINE_BYTES)
        work = asyncio.create_task(self._work())
        leave = asyncio.create_task(self._leave.wait())
        self._count(0)
        while not work.done():
            await asyncio.wait({work, leave}, return_when=asyncio.FIRST_COMPLETED)
            if leave.done() and not self._clients:
                server.close()
                return
            if leave.done():  # somebody came at the last moment
                self._leave.clear()
                leave = asyncio.create_task(self._leave.wait())
        work.result()  # asked to retire; or a fault of ours: the process ends with its traceback in the log

    def _count(self, change: int) -> None:
        self._clients += change
        if self._farewell is not None:
            self._farewell.cancel()
            self._farewell = None
        if not self._clients:
            self._farewell = asyncio.get_running_loop().call_later(self._keep_alive_s, self._leave.set)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count(+1)
        try:
            if self._clients <= MAX_CLIENTS and _is_mine(writer.get_extra_info("socket")):
                await self._talk(reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # the client left or never spoke: nobody to tell
        finally:
            writer.close()
            self._count(-1)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # drain() returns when all is with the client
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
        self._line.append(job)
        self._arrived.set()
        if before := len(self._line) - 1:
            _say(writer, Reply("waiting", number=before))
        # Nothing more is said on this connection: a byte and its end both mean goodbye.
        left = asyncio.create_task(reader.read(1))
        done = asyncio.create_task(job.finished.wait())
        await asyncio.wait({left, done}, return_when=asyncio.FIRST_COMPLETED)
        if not job.finished.is_set():
            job.gone.set()
            if job is not self._line[0]:
                self._remove(job)
        await done
        left.cancel()
        await writer.drain()

    def _remove(self, job: _Job) -> None:
        self._line.remove(job)
        job.finished.set()
        for before, other in enumerate(self._line):
            if before:
                _say(other.writer, Reply("waiting", number=before))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:  # llama.cpp: one context, one thread
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._line:
                    job = self._line[0]
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
                raise _Stopped
            engine = self._load(job.request)
            waited = time.monotonic() - job.arrived
            stats = engine.run(job.request, job.stopped, emit)
            return Reply("done", stats=GenerationStats(**{**asdict(stats), "waiting_s": waited}))
        except _Stopped:
            return Reply("generation", f"no answer within {job.request.deadline_s:.3g} s; ask again")
        except GenerationError as error:
            return Reply("generation", str(error))
        except ModelError as error:
            return Reply("model", str(error))

    def _load(self, request: Request) -> Engine:
        """The engine for a request; another model, or a changed file, takes the place of the one in memory."""
        try:
            found = Path(request.model).stat()
        except OSError as error:
            raise ModelError(
                f"{request.model}: {error.strerror}; get the model with: rag models get default"
            ) from None
        wanted = (
            request.model,
            request.context_tokens,
            request.threads,
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
        )
        if self._engine is None or wanted != self._loaded:
            if self._engine is not None:
                self._engine.close()
                self._engine = None
            self._engine = Engine(request.model, request.context_tokens, request.threads)
            self._loaded = wanted
        return self._engine


def _say(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if not writer.is_closing():
        writer.write(to_line(reply))


def _is_mine(peer: socket.socket) -> bool:
    """Whether the other end runs as the same user (Linux; elsewhere the folder's permissions say so)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _pid, uid, _gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(uid == os.geteuid())


def _lock(folder: Path) -> bool:
    """Become the one model process of this folder, waiting for one that is leaving; false when another serves."""
    lock = os.open(folder / "model.lock", os.O_RDWR | os.O_CREAT, 0o600)  # never closed: held to the end
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


def main(folder: Path) -> int:
    """Serve in `folder` until nobody needs the model. 0 also when another process already serves there."""
    faulthandler.enable()
    private_folder(folder)
    if not _lock(folder):
        return 0
    resource.setrlimit(
        resource.RLIMIT_CORE, (0, 0)
    )  # a crash must not write a gigabyte into somebody's folder
    with contextlib.suppress(OSError):  # Linux: when memory runs out, this process goes, not the page
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    place = folder / "model.sock"
    place.unlink(missing_ok=True)  # of a process that was killed
    listener = socket.socket(socket.AF_UNIX)
    os.umask(0o177)
    with socket_address(folder) as address:
        listener.bind(address)

    async def serve() -> None:
        await _Server().serve(listener)
        place.unlink(missing_ok=True)  # first of all, so that nobody new comes in
        os._exit(0)  # the lock goes with the process; nothing else is worth waiting for

    asyncio.run(serve())
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
