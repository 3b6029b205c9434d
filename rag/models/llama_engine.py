"""llama.cpp with one loaded model: tokenizes prompts, reads them in slices, and generates text within a grammar.

Only this module loads llama.cpp, and only the model process uses it, because llama.cpp may abort its process (bad file, no
memory). It does not know what the prompts mean, nor who asks.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from rag.errors import GenerationError, ModelError
from rag.models.llama_protocol import GenerationStats, Request
from rag.protocols import Prompt, Segment

SLICE_TOKENS = 128  # the prompt is read in slices, so that a cancelled call frees the model at once
NARROW = 64  # where the grammar rejects the best token, an allowed one is mostly among the best 64


class Stopped(Exception):
    """The call was cancelled, or its time is over."""


_warnings: deque[str] = deque(maxlen=20)  # the last lines that llama.cpp wrote as warnings or errors


def _keep_warning(level: int, text: bytes, _user: object) -> None:
    if level in (2, 3):  # GGML_LOG_LEVEL_WARN, GGML_LOG_LEVEL_ERROR
        _warnings.append(text.decode("utf-8", "replace").strip()[:300])


class Cores:
    """How many cores other processes leave free, measured over the last while (Linux; elsewhere: all of them).

    llama.cpp's threads wait for each other in a busy loop, hundreds of times per token. Where another process takes the
    core of one thread, all wait. On two busy cores, two threads were measured to be 40 times slower than one.
    """

    WINDOW_S = 0.1  # the kernel counts in hundredths of a second

    def __init__(self) -> None:
        self._count = os.cpu_count() or 1
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._before = self._now()

    def _now(self) -> tuple[float, float, float]:
        """Seconds on the clock, seconds of all cores being busy (0: not known), and those used by this process."""
        busy = 0
        with suppress(OSError, ValueError), Path("/proc/stat").open(encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
            busy = user + nice + system + irq + softirq + steal
        return time.monotonic(), busy / self._ticks, time.process_time()

    def free(self, fresh: bool = False) -> float | None:
        """Cores that others left free since the last measurement; None when that was less than a window ago.

        `fresh`: measure for one window now, because the last measurement is too old.
        """
        if fresh:
            self._before = self._now()
            time.sleep(self.WINDOW_S)
        if time.monotonic() < self._before[0] + self.WINDOW_S:
            return None
        before, self._before = self._before, self._now()
        clock, busy, own = (now - then for now, then in zip(self._before, before, strict=True))
        return self._count - max(0.0, busy - own) / clock


def _has_amx() -> bool:
    """Whether the processor multiplies matrices in tiles (AMX). Known on Linux only;
    elsewhere such processors are rare."""
    try:
        return " amx_int8" in Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        return False


@cache
def _llama_cpp() -> tuple[Any, object]:
    """The library, ready for use, and its log callback, which must live as long as the process."""
    import llama_cpp

    callback = llama_cpp.llama_log_callback(_keep_warning)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp, callback


class Engine:
    """A loaded model with the cached state of the last prompt. Used by one thread at a time.

    The same prompt gives the same text, whatever was asked before: only whole slices of an earlier prompt are reused,
    which a fresh start would compute in the same way.
    """

    def __init__(self, path: str, context_tokens: int, threads: int) -> None:
        """Load the model. Raises `ModelError` when llama.cpp refuses the file."""
        c = self._c = _llama_cpp()[0]
        _warnings.clear()
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
        options.n_outputs_max = 1  # only the scores of the last token are used
        options.n_threads = options.n_threads_batch = self._threads = threads
        self._cores = Cores()
        options.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED
        options.no_perf = True
        self._stopped: Callable[[], bool] = lambda: False
        # Checked before every step of the computation: a slice takes seconds on a busy machine.
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
        self._kept: list[tuple[int, ...]] = []  # cached slices, from the start of the prompt

    def close(self) -> None:
        """Free the memory."""
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)
        self._c.llama_model_free(self._model)

    @staticmethod
    def _refusal(path: str) -> str:
        # The first warning is the cause; later ones only say that loading failed.
        reason = _warnings[0] if _warnings else "no reason given"
        return f"{path}: llama.cpp cannot load this model ({reason}); get a whole one with: rag models get default"

    def tokens(self, segment: Segment) -> list[int]:
        """Token ids of a segment. Control and other special tokens are recognised only where the segment is trusted."""
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
        # llama.cpp still finds "user defined" tokens. Cut the text inside each of them, so that only plain tokens remain.
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
        # All prompts share the first segment. It ends with its own slice, so that all of it can be cached.
        parts = [self.tokens(segment) for segment in prompt]
        runs = [*parts[:1], [token for part in parts[1:] for token in part]]
        return [
            tuple(run[start : start + SLICE_TOKENS])
            for run in runs
            for start in range(0, len(run), SLICE_TOKENS)
        ]

    def _rewind(self, slices: list[tuple[int, ...]]) -> int:
        """Drop all cached slices except the leading ones that the prompt shares. Returns the number of tokens kept."""
        same = 0
        while same < min(len(self._kept), len(slices) - 1) and self._kept[same] == slices[same]:
            same += 1  # never the last one: its scores are needed
        del self._kept[same:]
        count = sum(map(len, self._kept))
        if not self._c.llama_memory_seq_rm(self._memory, 0, count, -1):
            self._forget()  # this kind of model cannot drop a part of its cache
            return 0
        return count

    def _forget(self) -> None:
        self._kept.clear()
        self._c.llama_memory_clear(self._memory, True)

    def _share_cores(self, fresh: bool = False) -> None:
        """Use as many threads as there are free cores. The number changes only the time, not the result."""
        if self._threads > 1 and (free := self._cores.free(fresh)) is not None:
            count = max(1, min(self._threads, int(free + 0.25)))
            self._c.llama_set_n_threads(self._context, count, count)

    def _decode(self, tokens: tuple[int, ...], position: int) -> None:
        if self._stopped():
            raise Stopped
        self._share_cores()
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, position + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = i == len(tokens) - 1
        status = self._c.llama_decode(self._context, batch)
        if status == 2:
            raise Stopped
        if status != 0:
            self._forget()
            raise GenerationError(f"llama.cpp cannot go on (status {status}); ask again")

    def _sampler(self, grammar: str) -> object | None:
        if not grammar:
            return None
        _warnings.clear()
        written = grammar.encode("utf-8", "replace")
        sampler: object = self._c.llama_sampler_init_grammar(self._vocab, written, b"root")
        if not sampler:
            reason = _warnings[0] if _warnings else grammar[:80]
            raise GenerationError(f"the grammar cannot be read: {reason}")
        return sampler

    def _best(self, sampler: object | None) -> int:
        """The token with the highest score that the grammar allows; for equal scores, the lowest id.

        Checking a token against the grammar is slow, and the vocabulary has 150,000. So the best token is checked first,
        then the best few, and all only when none of those is allowed.
        """
        import numpy as np

        c = self._c
        scores = np.ctypeslib.as_array(c.llama_get_logits_ith(self._context, -1), (self._vocab_size,))
        best = int(scores.argmax())
        if sampler is None:
            return best
        for count in (1, NARROW, self._vocab_size):
            ids = [best] if count == 1 else np.sort(np.argpartition(scores, -count)[-count:])
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
        buffer = ctypes.create_string_buffer(4096)  # no token has as many
        count = self._c.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(count, 0)]

    def run(
        self, request: Request, stopped: Callable[[], bool], emit: Callable[[str], None]
    ) -> GenerationStats:
        """Continue the prompt; whole characters go to `emit`.

        Raises `GenerationError`, or `Stopped` soon after `stopped()` became true. Later calls still work after any error."""
        c = self._c
        slices = self._slices(request.prompt)
        total = sum(map(len, slices))
        if not total:
            raise GenerationError("the prompt is empty")
        excess = total + request.max_tokens - self._context_tokens
        if excess > 0:
            raise GenerationError(
                f"the prompt is {excess} tokens too long ({total} and {request.max_tokens} for the answer, "
                f"the model is given {self._context_tokens}); shorten the question, or lower answer_tokens in citewire.toml"
            )
        sampler = self._sampler(request.grammar)
        self._stopped = stopped
        self._share_cores(fresh=True)
        try:
            position = reused = self._rewind(slices)
            for piece in slices[len(self._kept) :]:
                self._decode(piece, position)
                self._kept.append(piece)
                position += len(piece)
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            written = 0
            while written < request.max_tokens:
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
        return GenerationStats(total - reused, reused, written)
