"""The HTTP interface: OpenAI-compatible chat, search and articles over one `Assistant`, for other programs.

It does not change answers. It sends only verified statements, and every mode includes the whole answer with its citations.
Requests are hostile: their size and rate are limited, and where keys are set they are refused without one.

A family of routes is a module with a function `routes`: `chat`, `articles`, `operations`. A new endpoint goes into one of
them, or into a module of its own that `app` adds. `requests` has the schema of chat requests, `streaming` answers in
threads, `access` checks keys and rates, `middleware` sets id and size limit of every request, `failures` has the errors.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from rag.errors import ConfigError, missing_extra

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.server.http.service import Answering

KEYS = "CITEWIRE_API_KEYS"  # separated by commas; keys are read only from here


def keys_of(environ: Mapping[str, str] | None = None) -> tuple[bytes, ...]:
    """Digests of the keys that are set; empty where anybody may ask. Raises `ConfigError` for a key that is too short."""
    text = (os.environ if environ is None else environ).get(KEYS, "")
    keys = [k.strip() for k in text.split(",") if k.strip()]
    if any(len(k) < 16 for k in keys):
        raise ConfigError(f"{KEYS}: a key has at least 16 characters; make one with: openssl rand -hex 24")
    return tuple(sha256(k.encode()).digest() for k in keys)


def make_api(
    assistant: Answering, keys: Sequence[bytes] = (), hosts: Sequence[str] = ("*",), per_minute: int = 0
) -> FastAPI:
    """The application. `keys` are digests of the valid keys (empty: anybody may ask). `hosts` are the host names it answers to,
    so that no page of another site can reach it under another name. `per_minute` limits the questions and searches of one
    key, or without keys of one address, in a minute (0: no limit).

    Raises `ConfigError` where a package is missing.
    """
    try:  # the modules of this package need these when they are imported
        import limits  # noqa: F401
        import prometheus_client  # noqa: F401
    except ImportError:
        raise missing_extra("rag serve", "serve") from None
    from rag.server.http.app import make_app

    return make_app(assistant, keys, hosts, per_minute)
