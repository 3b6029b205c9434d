"""The tab of articles: lists and finds them, adds dropped files, removes and restores articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.errors import CitewireError
from rag.ingest.build import Summary
from rag.ingest.library import Item, Library
from rag.ingest.library import State as Work
from rag.ingest.sources import READ
from rag.ui.rendering import count, notice_html, render
from rag.ui.widgets import QUICK, BrowserEvent, change, html, on_event

MOST_REASONS = 20  # of files that were not read, shown at once
LOOK_S = 0.7  # between two updates of the progress of indexing


class ArticlesTab:
    """Shows the articles of `library`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def place(self) -> None:
        """Make the tab here."""
        import gradio as gr

        with gr.Tab("Articles", id="articles") as tab:
            drop = gr.File(
                label="Add articles",
                file_count="multiple",
                file_types=sorted(READ),
                height=150,
                elem_id="cw-drop",
            )
            search = gr.Textbox(
                label="Find an article",
                show_label=False,
                placeholder="Find by title, publisher or file",
                container=False,
                elem_id="cw-find",
            )
            shown = html("library", script="articles")
            timer = gr.Timer(LOOK_S, active=False)
        listed = [shown, timer]
        gr.on([tab.select, search.change, timer.tick], self.show, [search], listed, **QUICK)
        drop.upload(self.add, [drop, search], [drop, *listed], **QUICK)
        shown.click(on_event(self.act), [search], listed, **QUICK)

    def show(self, query: str) -> list[object]:
        """The list, and whether to update it again."""
        try:
            items, total = self._library.items(query or "")
        except CitewireError as error:
            return [notice_html(str(error)), change(active=False)]
        state = self._library.state()
        return [articles_html(items, total, query or "", state), change(active=bool(state.busy))]

    def add(self, files: list[str] | None, query: str) -> list[object]:
        """Add uploaded files to the folder of articles and delete Gradio's own copies."""
        given = [Path(f) for f in files or ()]
        self._library.add([(f.name, f) for f in given])
        for file in given:
            file.unlink(missing_ok=True)
        return [change(value=None), *self.show(query)]

    def act(self, query: str, event: BrowserEvent) -> list[object]:
        """Remove or restore an article."""
        what, id_ = event.get("do"), event.get("id")
        try:
            if what == "remove":
                self._library.remove(id_)
            elif what == "restore" and id_ in self._library.state().removed:
                self._library.restore(id_)
        except CitewireError as error:
            return [notice_html(str(error)), change(active=False)]
        return self.show(query)


def articles_html(items: Sequence[Item], total: int, query: str, state: Work) -> str:
    """The articles that fit `query`, of `total`, the indexing in progress, and the files that could not be read."""
    shown = f"{len(items)} of {count(total, 'article')}" if len(items) < total else count(total, "article")
    if query and not items:
        shown = "no article has these words"
    skipped = state.summary.skipped if state.summary else ()
    return render(
        "articles.html",
        items=items,
        shown=shown,
        state=state,
        done=_done(state.summary) if state.summary else "",
        reasons=[*state.refused, *(s.reason for s in skipped)],
        most_reasons=MOST_REASONS,
    )


def _done(summary: Summary) -> str:
    """The result of the last indexing."""
    changes = {
        "added": summary.added,
        "changed": summary.changed,
        "removed": summary.removed,
        "renamed": summary.renamed,
    }
    said = [f"{count(len(ids), 'article')} {what}" for what, ids in changes.items() if ids]
    if summary.duplicates:
        said.append(f"{count(len(summary.duplicates), 'duplicate')} left out")
    return ", ".join(said) or "Nothing is new"
