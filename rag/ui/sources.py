"""The tab of sources: the sentences that were read for an answer, or one article opened at the cited sentence."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from rag.answering.render import cited_numbers
from rag.schema import Answer, Evidence, Origin, Span
from rag.text.words import plain
from rag.ui.rendering import Marked, render
from rag.ui.session import Session
from rag.ui.widgets import QUICK, BrowserEvent, change, html, on_event, same

if TYPE_CHECKING:
    import gradio as gr


class SourcesTab:
    """Shows the sources, or the article of a clicked citation or card."""

    panel: gr.HTML

    def place(self, session: gr.State, conversation: gr.HTML, tabs: gr.Tabs) -> None:
        """Make the tab here; a click in the conversation brings it to the front of `tabs`."""
        import gradio as gr

        with gr.Tab("Sources", id="sources"):
            self.panel = html("panel", empty_html(), "sources")
        opening = [conversation.click, self.panel.click]
        gr.on(opening, on_event(self.open), [session], [self.panel, tabs], **QUICK)

    def open(self, session: Session, event: BrowserEvent) -> list[object]:
        """Open an article or the list of sources."""
        front = change(selected="sources")
        turn, number = session.turn(event.get("turn")), event.get("n")
        if turn is None:
            return [same(), front]
        answer = session.turns[turn]
        session.reading = number.isascii() and number.isdigit()
        shown = article_html(turn, answer, int(number)) if session.reading else sources_html(turn, answer)
        return [shown, front]


def empty_html() -> str:
    """The tab before the first answer."""
    return render("sources.html", answer=None)


def sources_html(turn: int, answer: Answer) -> str:
    """The sentences that were read for an answer, the cited ones first."""
    cited = cited_numbers(answer) if answer.final else set()
    others = "Also read" if cited else "Read for this answer"
    return render(
        "sources.html",
        turn=turn,
        answer=answer,
        articles=len({e.article.id for e in answer.evidence}),
        groups=(
            ("Cited", [e for e in answer.evidence if e.number in cited], True),
            (others, [e for e in answer.evidence if e.number not in cited], False),
        ),
    )


def article_html(turn: int, answer: Answer, number: int) -> str:
    """The article of evidence `number`, that sentence highlighted, other cited ones marked.

    An unknown number gives the list of sources.
    """
    known = {e.number: e for e in (*answer.closest, *answer.evidence)}
    item = known.get(number)
    if item is None:
        return sources_html(turn, answer)
    article = item.article
    cited = cited_numbers(answer)
    wanted = {number} | (cited or {e.number for e in answer.closest})
    shown = [e for n, e in known.items() if n in wanted and e.article == article]
    shown.sort(key=lambda e: (e.start, e.end, e.number))
    return render(
        "article.html",
        turn=turn,
        item=item,
        article=article,
        is_supplied=article.publisher is not None and article.publisher.origin is Origin.SUPPLIED,
        paragraphs=_paragraphs(article.body, shown, cited),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a paragraph. `number` is that of its evidence, 0 for none."""

    text: Marked
    number: int = 0


def _paragraphs(body: str, items: Sequence[Evidence], cited: Set[int]) -> list[list[_Piece]]:
    """The article, one paragraph a line, without empty ones; in cited sentences, the words that answer are marked."""
    paragraphs = []
    start = 0
    for line in body.splitlines(keepends=True):
        end = start + len(line)
        pieces, at = [], start
        for item in items:
            low, high = max(item.start, at), min(item.end, end)
            if low >= high:
                continue
            words = item.answer if item.number in cited else None
            pieces += [_piece(body, at, low), _piece(body, low, high, words, item.number)]
            at = high
        pieces.append(_piece(body, at, end))
        if plain(line):
            paragraphs.append(pieces)
        start = end
    return paragraphs


def _piece(body: str, low: int, high: int, words: Span | None = None, number: int = 0) -> _Piece:
    """`body[low:high]`, split around the part of `words` in it."""
    start = min(max(words.start, low), high) if words else high
    end = max(start, min(words.end, high)) if words else high
    return _Piece((_plain(body[low:start]), _plain(body[start:end]), _plain(body[end:high])), number)


def _plain(text: str) -> Markup:
    """A part of a line, plain and escaped. Space at either end is kept as one space."""
    inner = plain(text)
    if not inner:
        return Markup(" " if text else "")
    return escape(f"{' ' if text[0].isspace() else ''}{inner}{' ' if text[-1].isspace() else ''}")
