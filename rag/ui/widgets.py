"""Helpers for Gradio that the parts of the page share. Gradio is imported only when a page is built.

A part of the page is a class with `place`, which creates its widgets and connects their events. Its HTML reports clicks by
`trigger(event, data)` (static/page.js), and `on_event` passes them to a listener.
"""

# No `from __future__ import annotations` here: Gradio reads the listeners' annotations, and it is imported late.
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.ui.rendering import static

if TYPE_CHECKING:
    import gradio as gr

# Through Gradio's queue, because only it tells the browser that a State changed. Without a limit, so that it never waits.
QUICK: Mapping[str, Any] = {
    "concurrency_limit": None,
    "show_progress": "hidden",
    "api_visibility": "private",
}


@dataclass(frozen=True, slots=True)
class BrowserEvent:
    """An event from the browser: the id of its tab, and the data of what was clicked.

    The data are untrusted: they are only looked up.
    """

    tab: str
    data: Mapping[str, str]

    def get(self, name: str) -> str:
        """The text under this name, "" where there is none."""
        return self.data.get(name, "")


def html(name: str, value: str = "", script: str = "") -> "gr.HTML":
    """A piece of our own HTML, whose id is `cw-NAME`; `script` names its function in static/page.js."""
    import gradio as gr

    on_load = f"{static('page.js')}\n{script}(element, trigger, watch);" if script else None
    return gr.HTML(value, elem_id=f"cw-{name}", apply_default_css=False, js_on_load=on_load)


def same() -> object:
    """A return value for a listener: the widget does not change."""
    import gradio as gr

    return gr.skip()


def change(**properties: object) -> object:
    """A return value for a listener: only these properties of the widget change."""
    import gradio as gr

    return gr.update(**properties)


def on_event(listener: Callable[..., object]) -> Callable[..., object]:
    """`listener(*inputs, BrowserEvent)`, as Gradio calls it."""
    import gradio as gr

    def listening(event: gr.EventData, request: gr.Request, *inputs: object) -> object:
        data = event._data if isinstance(event._data, dict) else {}
        return listener(
            *inputs, BrowserEvent(str(request.session_hash), {str(k): str(v) for k, v in data.items()})
        )

    return listening
