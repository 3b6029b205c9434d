"""Commands that answer other programs: `serve`, `mcp`."""

from __future__ import annotations

import click

from rag.cli.common import opened
from rag.config import Settings
from rag.errors import ConfigError


@click.command()
@click.option("--host", help="Listen on this address (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--public", is_flag=True, help="Let anyone who can reach the address ask, without a key.")
@click.option(
    "--per-minute",
    type=click.IntRange(min=0),
    default=0,
    help="Most questions a minute from one key or, without keys, from one address (default: no limit).",
)
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int, public: bool, per_minute: int) -> None:
    """Answer other programs over HTTP: OpenAI-compatible chat, search, articles. Keys are in CITEWIRE_API_KEYS."""
    import uvicorn

    from rag.server.http import KEYS, keys_of, make_api
    from rag.server.network import LOOPBACK, check_port, is_loopback

    host = host or "127.0.0.1"
    keys = keys_of()
    is_here = is_loopback(host)
    check_port(host, port, "--port {port}")
    if not is_here and not keys and not public:
        raise ConfigError(f"{host} is open to other machines: set {KEYS}, or say --public if anybody may ask")
    with opened(settings) as assistant:
        app = make_api(assistant, keys, (*LOOPBACK, host) if is_here else ("*",), per_minute)
        assistant.warm()
        click.echo(f"Citewire: http://{host}:{port}/v1 (Ctrl-C ends it)", err=True)
        uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


@click.command()
@click.pass_obj
def mcp(settings: Settings) -> None:
    """Offer "ask" and "search" as tools of the Model Context Protocol over standard input and output."""
    from rag.server.mcp import make_tools

    with opened(settings) as assistant:
        try:
            make_tools(assistant).run("stdio")
        except BaseExceptionGroup as group:
            _, rest = group.split(
                BrokenPipeError
            )  # the program that started this one no longer reads its output
            if rest is not None:
                raise
