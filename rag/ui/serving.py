"""Serves the page under the names of this machine, with a policy that keeps the browser from contacting any other machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rag.assistant import Assistant
from rag.server.network import LOOPBACK, check_port, is_loopback
from rag.server.password import Password
from rag.ui.page import build
from rag.ui.rendering import static
from rag.ui.sessions import Sessions

if TYPE_CHECKING:
    import gradio as gr
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PORT = "CITEWIRE_PORT={port}"  # how another port is set
MAX_UPLOAD_BYTES = 200 * 2**20  # one file; its contents are limited where they are read
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-src 'none'; object-src 'none'; "
    "form-action 'none'; base-uri 'self'; frame-ancestors 'none'"
)
# Gradio's routes that serve files. The page has none, and `file=` with a web address would use the network.
FILE_ROUTES = ("file=", "file/", "proxy=", "stream/")

_SANS = ["Inter", "Segoe UI", "Helvetica Neue", "Liberation Sans", "Arial", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Liberation Mono", "monospace"]


class _Guard:
    """ASGI middleware: adds the policy to every response and, on a loopback address, answers only to its names.

    The latter prevents DNS rebinding, by which the page of another site could reach this one.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    def _refusal(self, scope: Scope) -> Response | None:
        from starlette.responses import PlainTextResponse

        host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
        if self._names and host.rsplit(":", 1)[0] not in self._names and host not in self._names:
            return PlainTextResponse("This page answers to the names of this machine only.", 421)
        is_file = scope["path"].lstrip("/").removeprefix("gradio_api/").startswith(FILE_ROUTES)
        return PlainTextResponse("This page serves no files.", 404) if is_file else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send_with_policy)


def serve(
    assistant: Assistant,
    host: str = "127.0.0.1",
    port: int = 7860,
    sessions: Sessions | None = None,
    password: Password | None = None,
    mcp: bool = False,
) -> gr.Blocks:
    """Start serving the page and return at once; `close()` ends it. `local_url` is its address. With `password`, only its
    form can be reached without it; with `mcp`, "ask" and "search" are tools at /gradio_api/mcp/.

    Raises `ConfigError` when the port is taken.
    """
    check_port(host, port, PORT)
    for name in ("NO_PROXY", "no_proxy"):  # Gradio requests its own page first, which no proxy can reach
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
    page = build(assistant, sessions)
    import gradio as gr
    from starlette.middleware import Middleware

    names = frozenset({*LOOPBACK, host}) if is_loopback(host) else frozenset()
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        mcp_server=mcp,
        auth=password.fits if password else None,
        auth_message="Any name, and the password of this page." if password else None,
        inbrowser=False,
        pwa=False,
        ssr_mode=False,
        run_history=False,  # otherwise questions stay in the browser
        footer_links=[],
        allowed_paths=[],
        max_file_size=MAX_UPLOAD_BYTES,
        show_error=False,
        app_kwargs={"middleware": [Middleware(_Guard, names=names)]},
        theme=gr.themes.Base(font=_SANS, font_mono=_MONO),
        head=f"<style>{static('page.css')}</style>",
    )
    return page
