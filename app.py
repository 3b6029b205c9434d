"""The page's entry: options, the assistant, and the page over it (`rag/ui/`), until Ctrl-C."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable

import click

from rag.config import Settings, load_settings, of_corpus
from rag.errors import CitewireError, ConfigError, missing_extra
from rag.server.network import check_port, is_loopback
from rag.server.password import Password
from rag.server.password import set_password as keep_password
from rag.ui.serving import PORT, serve
from rag.ui.sessions import Sessions


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the page (default: 7860).")
@click.option("--set-password", is_flag=True, help="Ask for a password, keep its hash, and end.")
@click.option("--mcp", is_flag=True, help='Offer "ask" and "search" as tools of the Model Context Protocol.')
@click.option("--public", is_flag=True, help="Let anyone who can reach the page use it, without a password.")
def main(port: int | None, set_password: bool, mcp: bool, public: bool) -> None:
    """Open the page on this machine. Ctrl-C ends it."""
    try:
        settings = of_corpus(load_settings()).with_options(port=port)
        if set_password:
            words = click.prompt("Password of the page", hide_input=True, confirmation_prompt=True)
            click.echo(f"kept as a hash in {keep_password(settings.data, words)}")
            return
        _run(settings, public, mcp)
    except CitewireError as error:
        click.echo(f"app: {error}", err=True)
        raise SystemExit(error.exit_status) from None


def _run(settings: Settings, public: bool, mcp: bool) -> None:
    if mcp and importlib.util.find_spec("mcp") is None:
        raise missing_extra("--mcp", "mcp")
    password = _password(settings, public)
    check_port(settings.host, settings.port, PORT)  # before the models are loaded
    from rag.assistant import Assistant

    assistant = Assistant.open(settings, on_wait=lambda text: click.echo(text, err=True))
    # on an address that others reach, everybody would read everybody's conversations
    sessions = Sessions(settings.data) if is_loopback(settings.host) else None
    try:
        page = serve(assistant, settings.host, settings.port, sessions, password, mcp)
        click.echo(f"Citewire: {page.local_url}  (Ctrl-C ends it)")
        threading.Thread(target=_warm, args=(assistant.warm,), daemon=True).start()
        page.block_thread()
    finally:
        assistant.close()
        if sessions is not None:
            sessions.close()


def _password(settings: Settings, public: bool) -> Password | None:
    """What a reader has to know; None on this machine alone, and where anybody may ask."""
    if is_loopback(settings.host):
        return None
    if public:
        click.echo(f"warning: anyone who reaches {settings.host} can ask and read the articles", err=True)
        return None
    try:
        return Password(settings.data)
    except ConfigError as error:
        raise ConfigError(
            f'host = {settings.host} is open to other machines: {error}; or set host = "127.0.0.1", '
            'or run ".venv/bin/python app.py --public" if anybody may ask'
        ) from None


def _warm(warm: Callable[[], None]) -> None:
    """Load the models while the reader is still typing."""
    try:
        warm()
    except CitewireError as error:
        click.echo(f"app: {error}", err=True)


if __name__ == "__main__":
    main()
