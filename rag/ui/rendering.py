"""HTML from the templates beside this file, and the filters for articles, sentences and counts in them.

Templates escape every value. Before that, `plain` puts every text on one line and removes invisible characters. So text
by a model or an article is never read as HTML or Markdown. It knows values and how to show them, not how they were made.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from rag.answering.render import in_words, words_at
from rag.schema import Article, Evidence, Span
from rag.text.words import plain

if TYPE_CHECKING:
    from jinja2 import Environment

OPENING_CHARS = 72  # shown where an article states no title: one line

Marked = tuple[Markup, Markup, Markup]
"""An escaped text in three parts: before the words that answer, these words, and after them."""


def render(template: str, **values: object) -> str:
    """A template of `templates/`, filled in."""
    return _environment().get_template(template).render(**values)


def notice_html(text: str) -> str:
    """A message above the box for questions, or in place of a list; "" for none."""
    return render("notice.html", text=text) if text else ""


def static(name: str) -> str:
    """A file of `static/`, as text."""
    return (files("rag.ui") / "static" / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("rag.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "as_is": escape,
        "count": count,
        "in_words": in_words,
        "plain": plain,
        "publisher": publisher,
        "sentence": sentence,
        "title": title,
    }
    return environment


def _shown(value: object) -> object:
    """Prepares a value for a template: text that is not escaped yet goes through `plain`."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def count(number: int, noun: str) -> str:
    """ "1 article", "2 articles"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def title(article: Article) -> str:
    """The title, or the opening words where an article states none."""
    if article.title:
        return plain(article.title.value)
    opening = plain(article.body[:200])
    cut = opening[:OPENING_CHARS].rsplit(" ", 1)[0] if len(opening) > OPENING_CHARS else opening
    return f"{cut}…" if cut else plain(article.path)


def publisher(article: Article) -> str:
    """The publisher, or that it is unknown."""
    return plain(article.publisher.value) if article.publisher else "Publisher unknown"


def marked(text: str, words: Span | None) -> Marked:
    """`text`, as from `plain`, split around `words`. Without words, all of it is in the first part."""
    span = words or Span(len(text), len(text))
    return escape(text[: span.start]), escape(text[span.start : span.end]), escape(text[span.end :])


def sentence(item: Evidence, is_cited: bool) -> Marked:
    """The sentence of evidence; the words that answer are marked only where it is cited."""
    text = plain(item.text)
    return marked(text, words_at(item, text) if is_cited else None)
