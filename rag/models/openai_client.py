"""The generator on a server that speaks the OpenAI protocol: vLLM, llama.cpp's server, or a cloud that the user chose.

It sends requests only to the servers in the settings, follows no redirect, and takes the key only from the environment.
Answers of a server are untrusted: their size is limited, they are parsed, and they need not follow the grammar. This module
does not know what the prompts mean.
"""

from __future__ import annotations

import json
import os
import queue
import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import CitewireError, ConfigError, GenerationError, ModelError
from rag.models.call import POLL_S, Call
from rag.models.llama_protocol import GenerationStats
from rag.protocols import Cancel, Prompt

if TYPE_CHECKING:
    import httpx

KEY = "CITEWIRE_API_KEY"  # the only place a key is read from
CONNECT_S = 5.0
TRIES = 4  # of one call, over all servers in turn
BACKOFF_S = 0.5  # before the second try, twice as long before each next one
MAX_WAIT_S = 20.0  # longest wait that a server may ask for with Retry-After
MAX_ANSWER_BYTES = 8_000_000  # of one response: a streamed token takes some 300
CHARS_A_TOKEN = 12  # no text has more per token; a longer answer means that the server ignores `max_tokens`
_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_MARKER = re.compile(r"<\|im_start\|>(\w+)\n|<\|im_end\|>\n?")


def servers_of(text: str) -> tuple[str, ...]:
    """The addresses of a setting, in order, without a slash at the end. Raises `ConfigError` for an invalid one."""
    found = []
    for address in filter(None, (part.strip().rstrip("/") for part in text.split(","))):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f'servers: {address!r} is not an address such as "http://127.0.0.1:8000/v1"')
        if parts.username or parts.password:
            raise ConfigError(
                f"servers: a key does not belong in an address ({parts.hostname}); set {KEY} instead"
            )
        found.append(address)
    return tuple(found)


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """The prompt as the messages of a chat. Control tokens in untrusted text are broken up, because servers recognise them
    anywhere."""
    made: list[dict[str, str]] = []
    for segment in prompt:
        if not segment.trusted:
            if not made:
                made.append({"role": "user", "content": ""})
            made[-1]["content"] += segment.text.replace("<|", "< |").replace("[INST", "[ INST")
            continue
        at = 0
        for mark in _MARKER.finditer(segment.text):
            if made:
                made[-1]["content"] += segment.text[at : mark.start()]
            if mark.group(1):
                made.append({"role": mark.group(1), "content": ""})
            at = mark.end()
        if made:
            made[-1]["content"] += segment.text[at:]
    return [m for m in made if m["content"]]


def constraint(owner: str, grammar: str) -> dict[str, Any]:
    """The parameters that pass the grammar to a server, by its kind (`owned_by` of its models). Empty where the server
    supports none."""
    if not grammar:
        return {}
    if owner == "vllm":
        return {"structured_outputs": {"grammar": grammar}}
    if owner in ("llamacpp", "llama.cpp", "me", ""):  # llama-server, and the server of llama-cpp-python
        return {"grammar": grammar}
    return {}


@dataclass(slots=True)
class _Server:
    """One of the servers, and what is known about it."""

    address: str
    model: str = ""
    owner: str | None = None  # None: not asked yet
    takes_grammar: bool = True


class _Retry(Exception):
    """A server could not answer now; a retry may succeed."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class RemoteGenerator:
    """A model on one or several servers. Threads may share it; each call is a separate request."""

    def __init__(
        self, servers: Sequence[str], model: str = "", *, environ: Mapping[str, str] | None = None
    ) -> None:
        """Sends nothing yet. `model` "" means the first one that a server lists."""
        self.last_stats: GenerationStats | None = None  # of the last call that ended by itself
        self._servers = [_Server(address) for address in servers]
        self._model = model
        self._key = (os.environ if environ is None else environ).get(KEY, "")
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()
        self._next = 0

    @property
    def name(self) -> str:
        """The model's name, where one is set, and where it is."""
        return f"{self._model or 'the model'} at {urlsplit(self._servers[0].address).netloc}"

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str = "",
        max_tokens: int,
        deadline_s: float,
        cancel: Cancel,
    ) -> Iterator[str]:
        """See `Generator.generate`. The server that answered last is asked first. With `max_tokens` 0 nothing is sent: the
        server caches prompts itself."""
        if max_tokens == 0:
            return
        call = Call(deadline_s, cancel, "the model server was still at work")
        body = {"messages": messages_of(prompt), "max_tokens": max_tokens, "temperature": 0, "stream": True}
        failure = ""
        for number in range(max(TRIES, len(self._servers))):
            server = self._servers[(self._next + number) % len(self._servers)]
            call.check()
            shown = False
            try:
                self._ask_for_models(server, call)
                for piece in self._stream(server, body, grammar, call):
                    shown = True
                    yield piece
            except _Retry as failed:
                failure = call.phase = str(failed)
                if shown:  # shown text cannot be withdrawn
                    raise GenerationError(f"{failure}; ask again") from None
                again = number + 1 - len(self._servers)
                if again >= 0:  # each server has been tried
                    call.pause(max(min(failed.wait_s, MAX_WAIT_S), BACKOFF_S * 2.0**again))
            else:
                self._next = self._servers.index(server)
                return
        raise GenerationError(f"{failure}; ask again, or correct servers in citewire.toml")

    def close(self) -> None:
        """Close the connections. A later call opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _ask_for_models(self, server: _Server, call: Call) -> None:
        """Ask a server once which models it has."""
        if server.owner is not None:
            return
        try:
            rows = json.loads("".join(self._lines(server, None, call))).get("data")
        except (ValueError, AttributeError):
            raise GenerationError(
                f"{server.address}: it did not send a list of models; is this the address of a model server, with /v1?"
            ) from None
        rows = [r for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
        owners = {r["id"]: r.get("owned_by") for r in rows if isinstance(r.get("id"), str)}
        if self._model and owners and self._model not in owners:
            known = ", ".join(list(owners)[:8])
            raise ModelError(
                f"{server.address} has no model {self._model!r}; set server_model to one of: {known}"
            )
        if not self._model and not owners:
            raise ModelError(f"{server.address} names no model; set server_model")
        server.model = self._model or next(iter(owners))
        owner = owners.get(server.model)
        server.owner = owner if isinstance(owner, str) else ""

    def _stream(self, server: _Server, body: dict[str, Any], grammar: str, call: Call) -> Iterator[str]:
        """The pieces of an answer. Raises `_Retry` where a retry may help."""
        more = constraint(server.owner or "", grammar) if server.takes_grammar else {}
        sent = {**body, **more, "model": server.model}
        written = length = 0
        try:
            for line in self._lines(server, sent, call):
                if not line.startswith("data:"):
                    continue
                piece, is_end = _piece(line[5:].strip(), server)
                if piece:
                    written += 1
                    length += len(piece)
                    if length > body["max_tokens"] * CHARS_A_TOKEN:
                        raise GenerationError(
                            f"{server.address} wrote more than was asked for; ask another server"
                        )
                    yield piece
                if is_end:
                    self.last_stats = GenerationStats(generated_tokens=written)
                    return
        except _Refused as refused:
            if more and refused.status in (400, 422):  # it does not know the parameters of the grammar
                server.takes_grammar = False
                yield from self._stream(server, body, grammar, call)
                return
            raise
        raise _Retry(f"{server.address} broke off in the middle of an answer")

    def _http(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
                self._client = httpx.Client(
                    headers=headers,
                    timeout=httpx.Timeout(None, connect=CONNECT_S),
                    follow_redirects=False,
                    trust_env=False,  # the questions go through no proxy of the environment
                )
            return self._client

    def _lines(self, server: _Server, body: dict[str, Any] | None, call: Call) -> Iterator[str]:
        """The lines of `_response`. A thread reads them, so that `cancel` and the deadline are checked while nothing arrives."""
        items: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        stopped = threading.Event()

        def read() -> None:
            try:
                with closing(_response(self._http(), server.address, body)) as lines:
                    for line in lines:
                        if stopped.is_set():
                            return
                        items.put(line)
                items.put(None)
            except (CitewireError, _Retry) as error:
                items.put(error)

        threading.Thread(target=read, daemon=True).start()
        try:
            while True:
                try:
                    item = items.get(timeout=POLL_S)
                except queue.Empty:
                    call.check()
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            stopped.set()


def _piece(data: str, server: _Server) -> tuple[str, bool]:
    """(text, whether it is the last) of one event of a stream."""
    if data == "[DONE]":
        return "", True
    try:
        event = json.loads(data)
        if isinstance(event, dict) and event.get("error"):
            raise _Retry(f"{server.address} failed: {_said(event)}")
        choices = event["choices"]
        if not choices:
            return "", False
        piece = choices[0].get("delta", {}).get("content")
        return piece if isinstance(piece, str) else "", bool(choices[0].get("finish_reason"))
    except (json.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
        raise GenerationError(
            f"{server.address} sent something unreadable ({data[:60]!r}); ask again"
        ) from None


def _said(value: object) -> str:
    """The message of an error, short and printable."""
    if isinstance(value, dict):
        value = value.get("error", value.get("detail", value.get("message", "")))
    if isinstance(value, dict):
        value = value.get("message", "")
    return re.sub(r"[^\x20-\x7e]+", " ", str(value))[:200]


class _Refused(ModelError):
    """A server refuses a request with a status, and a retry would not help."""

    def __init__(self, address: str, status: int, said: str) -> None:
        said = f" ({said})" if said else ""
        if status in (401, 403):
            super().__init__(f"{address} refuses the key; set {KEY} to one that it knows")
        elif status == 404:
            super().__init__(f"{address} has no such address or model{said}; most end in /v1")
        elif 300 <= status < 400:
            super().__init__(
                f"{address} redirects to another address; set servers in citewire.toml to that one"
            )
        else:
            super().__init__(f"{address} refuses the request: status {status}{said}")
        self.status = status


def _response(client: httpx.Client, address: str, body: dict[str, Any] | None) -> Generator[str, None, None]:
    """The lines of the response to a chat with that body, or of the list of models. Raises `_Retry` or what the user is told."""
    import httpx

    method, path = ("GET", "/models") if body is None else ("POST", "/chat/completions")
    try:
        with client.stream(method, f"{address}{path}", json=body) as response:
            if response.status_code != 200:
                raise _failure(address, response)
            yield from _bounded(address, response)
    except httpx.ConnectError as error:
        said = str(error)
        if "certificate" in said.lower() or "ssl" in said.lower():  # never right at the next try
            raise ModelError(
                f"{address}: its certificate does not fit ({_said(said)}); correct servers"
            ) from None
        raise _Retry(f"{address} is not reachable") from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise _Retry(f"{address} broke off ({type(error).__name__})") from None
    except (httpx.InvalidURL, UnicodeError):
        raise ModelError(f"{address}: no address; correct servers in citewire.toml") from None
    except RuntimeError:  # the client was closed meanwhile
        raise _Retry(f"{address}: the connection was closed") from None


def _failure(address: str, response: httpx.Response) -> Exception:
    status = response.status_code
    text = "".join(_bounded(address, response))
    try:
        said = _said(json.loads(text))
    except json.JSONDecodeError:
        said = _said(text) if status < 500 else ""
    # llama-cpp-python answers 500 to what it does not support; a retry would not help
    if status in _RETRIED and "not supported" not in said:
        reason = f"{address} answered with status {status}" + (f" ({said})" if said else "")
        return _Retry(reason, _seconds(response.headers.get("retry-after", "")))
    return _Refused(address, status, said)


def _bounded(address: str, response: httpx.Response) -> Iterator[str]:
    """The lines of a response of any length, up to `MAX_ANSWER_BYTES` in all."""
    rest, length = b"", 0
    for piece in response.iter_bytes():
        length += len(piece)
        if length > MAX_ANSWER_BYTES:
            raise GenerationError(f"{address} sent an answer without end; ask another server")
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace")


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
