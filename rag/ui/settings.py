"""The tab of settings: which articles an answer may use, how many sentences, and which model words it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.assistant import Assistant
from rag.errors import CitewireError, ConfigError
from rag.ingest.descriptions import parse_date
from rag.schema import Choice
from rag.ui.widgets import QUICK, change

if TYPE_CHECKING:
    import gradio as gr

QUOTES = "Only quote the articles"
MOST_PUBLISHERS = 1000
MOST_SENTENCES = 12


class SettingsTab:
    """The reader's settings. `choices` are its widgets, in the order in which `choice_of` takes their values."""

    choices: Sequence[gr.components.Component]

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def place(self) -> None:
        """Make the tab here."""
        import gradio as gr

        writers = (*self._assistant.writers(), QUOTES)
        with gr.Tab("Settings", id="settings") as tab, gr.Column(elem_id="cw-settings"):
            publishers = gr.Dropdown(
                [], value=[], multiselect=True, label="Only these publishers", info="None: all articles"
            )
            self.choices = [
                publishers,
                gr.Textbox(label="Published from", placeholder="2025-07-01"),
                gr.Textbox(
                    label="Published until",
                    placeholder="2025-07-31",
                    info="With either, articles without a full date are left out",
                ),
                gr.Slider(
                    2,
                    MOST_SENTENCES,
                    value=6,
                    step=1,
                    label="Sentences shown as sources",
                    info="Those that the answer cites are always among them",
                ),
                gr.Radio(
                    writers,
                    value=writers[0],
                    label="Who words the answer",
                    info="Either way, every sentence is checked",
                ),
            ]
        tab.select(self.offer, [publishers], [publishers], **QUICK)

    def offer(self, chosen: list[str] | None) -> object:
        """The publishers of the articles as they are now."""
        try:
            known = self._assistant.publishers()
        except CitewireError:
            known = []  # the next question will report what is wrong with the index
        return change(choices=known, value=[p for p in chosen or () if p in known])


def choice_of(
    publishers: Sequence[str] | None, after: str | None, before: str | None, sentences: float, writer: str
) -> Choice:
    """The choice that the settings make. Raises `ConfigError` for a date that is none."""
    bounds = []
    for text in ((after or "").strip(), (before or "").strip()):
        known = parse_date(text) if text else None
        if text and (known is None or known.year is None):
            raise ConfigError(
                f"“{text[:40]}” is not a date. Please write it like 2025-07-10, 2025-07 or 2025, in the settings."
            )
        bounds.append(known)
    wanted = tuple(str(p) for p in publishers or ())[:MOST_PUBLISHERS]
    quotes = writer == QUOTES
    count = max(0, min(MOST_SENTENCES, int(sentences)))
    return Choice(wanted, bounds[0], bounds[1], count, quotes, "" if quotes else writer)
