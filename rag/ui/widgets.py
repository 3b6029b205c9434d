"""What the parts of the page share of Gradio, which is imported only when a page is built.

A part of the page is a class with `place`, which makes its widgets where it is called and connects their events. Pieces of
HTML in it tell what was clicked by `trigger(event, data)` (static/page.js); `on_event` hands this to a listener.
"""

# No `from __future__ import annotations` here: Gradio reads the listeners' annotations, and it is imported late.
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.ui.rendering import static

if TYPE_CHECKING:
    import gradio as gr

# Through the queue, because only it tells the browser that a State changed; without a limit, so never in line.
QUICK: Mapping[str, Any] = {
    "concurrency_limit": None,
    "show_progress": "hidden",
    "api_visibility": "private",
}


@dataclass(frozen=True, slots=True)
class BrowserEvent:
    """What the browser tells of an event: the id of its tab, and the data of what was clicked.

    The data are looked up, never trusted.
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
    """In the place of a widget: it stays as it is."""
    import gradio as gr

    return gr.skip()


def change(**properties: object) -> object:
    """In the place of a widget: these properties change, the others stay."""
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
