"""The page: a conversation on the left, and tabs on the right, the first with the sources of the answer.

Its HTML is in `templates/`, its styles in `static/page.css`, and its scripts in `static/page.js`. It knows values and how to
show them, not how they were made. A new tab is a module with a class that has
`place`, a template, and a line in `build`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.assistant import Assistant
from rag.config import Settings
from rag.models.openai_client import servers_of
from rag.server.network import is_loopback
from rag.ui import api
from rag.ui.articles import ArticlesTab
from rag.ui.chat import Chat
from rag.ui.conversations import ConversationsTab
from rag.ui.quality import QualityTab
from rag.ui.rendering import render
from rag.ui.session import MAX_WAITING
from rag.ui.sessions import Sessions
from rag.ui.settings import SettingsTab
from rag.ui.sources import SourcesTab
from rag.ui.widgets import html

if TYPE_CHECKING:
    import gradio as gr

UPLOADS_S = 600  # uploads that were not added to the articles are deleted after this time


def header_html(settings: Settings) -> str:
    """The head of the page. It names the other machine that sees the questions, if the user configured one."""
    places = [*servers_of(settings.servers), *([settings.store] if settings.store else [])]
    hosts = [urlsplit(p).hostname or p for p in places if not is_loopback(urlsplit(p).hostname or "")]
    return render("header.html", hosts=list(dict.fromkeys(hosts)))


def build(assistant: Assistant, sessions: Sessions | None = None) -> gr.Blocks:
    """The page over `assistant`, not yet listening; with `sessions`, conversations are kept and listed."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio as gr

    chat, sources, settings = Chat(assistant, sessions), SourcesTab(), SettingsTab(assistant)
    with gr.Blocks(
        title="Citewire",
        analytics_enabled=False,
        fill_width=True,
        fill_height=True,
        delete_cache=(UPLOADS_S, UPLOADS_S),
    ) as page:
        html("top", header_html(assistant.settings))
        with gr.Row(elem_id="cw-main"):
            with gr.Column(elem_id="cw-left"):
                chat.place()
            with gr.Column(elem_id="cw-side"), gr.Tabs(selected="sources", elem_id="cw-tabs") as tabs:
                sources.place(chat.session, chat.conversation, tabs)
                ArticlesTab(assistant.library()).place()
                if sessions is not None:
                    ConversationsTab(assistant, sessions, chat).place()
                settings.place()
                QualityTab().place()
        chat.connect(page, sources.panel, settings.choices)
        api.offer(assistant)
    page.queue(max_size=10 * MAX_WAITING)  # of all events, including quick ones; `Line` limits the questions
    return page
