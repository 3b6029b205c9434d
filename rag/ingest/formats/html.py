"""HTML: the article of a saved page.

Overlays (a consent dialogue, an offer to subscribe) and links to other articles are removed. The article is what trafilatura
extracts, unless another block has most of the page's paragraphs, or the page states the article's text in JSON-LD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Any

from rag.ingest.formats.base import Document, FormatError, Found, Job, Limits, clean, finished, whole
from rag.ingest.formats.decoding import decode_markup
from rag.ingest.formats.markup import HIDDEN, html_to_text, parsed, remove, tables_to_lines, text_of

# --- the article of a page ---------------------------------------------------------------------------------------

_OVERLAID = re.compile(
    r"cookie|consent|gdpr|privacy-?(?:banner|dialog|notice|popup)|(?:^|[-_ ])cmp(?:[-_ ]|$)|onetrust|didomi|usercentrics"
    r"|modal|popup|pop-up|overlay|newsletter",
    re.I,
)
_OTHER_LEAST = 4  # words of a link to another article; a shorter one is a name
_QUOTES = "\"“„‘'«"  # what begins with one was said
_LABEL_WORDS = 4  # of the label before it: "More on this story:"
_PAGE_LEAST = 100  # characters of an article; a shorter text is a caption or a button
_PROSE_LEAST = 60  # characters of a paragraph of prose
_COMPARED = 300  # sentences of a text that are compared, evenly distributed
_COVERED = 0.8  # share of sentences that makes one text contain another
_STATED_LEAST = 150  # characters of an article's text in JSON-LD; a shorter one is a summary


def _without_overlays(root: Any) -> None:
    """Remove overlays, except those with the heading or most of the text, which are the page itself."""
    whole_text = len(text_of(root)) or 1
    headings = len(root.findall(".//h1"))
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag in ("html", "body", "main", "article"):
            continue
        named = f"{element.get('id') or ''} {element.get('class') or ''}"
        laid_over = (
            element.tag == "dialog"
            or (element.get("role") or "").lower() in ("dialog", "alertdialog")
            or element.get("aria-modal") == "true"
            or _OVERLAID.search(named)
        )
        parent = element.getparent()
        if not laid_over or parent is None or element.getroottree().getroot() is not root:
            continue
        if headings and len(element.findall(".//h1")) == headings:
            continue
        if element.find(".//article") is not None or len(text_of(element)) > 0.6 * whole_text:
            continue
        remove(element)


_PARTS = ("p", "div", "h1", "h2", "h3", "h4")


def _without_lists_of_paragraphs(root: Any) -> None:
    """Make blocks of the lists whose items have a heading or paragraphs of their own, so that these stay apart."""
    for around in list(root.iter("ol", "ul")):
        items = around.findall("li")
        if any(sum(part.tag in _PARTS for part in item) > 1 for item in items):
            for block in (around, *items):
                block.tag = "div"


_UNSEEN = "//*[contains(@class, 'sr-only') or contains(@class, 'visually-hidden') or contains(@class, 'screen-reader')]"


def _without_links_to_others(root: Any) -> None:
    """Remove paragraphs that consist of a label and links, such as "Read more: Ferry fares to rise"."""
    for paragraph in list(root.iter("p")):
        links = list(paragraph.iter("a"))
        label = " ".join(text_of(paragraph).split())
        shown = [" ".join(text_of(link).split()) for link in links]
        for text in shown:
            label = label.replace(text, "", 1)
        label = label.strip()
        heading = any(len(text.split()) >= _OTHER_LEAST and text[0] not in _QUOTES for text in shown)
        if heading and label.endswith(":") and 0 < len(label[:-1].split()) <= _LABEL_WORDS:
            remove(paragraph)


@dataclass(frozen=True, slots=True)
class _Block:
    """The paragraphs in one element, and whether the heading of the page is in it too."""

    texts: list[str]
    headed: bool = False


def _main_block(root: Any) -> _Block:
    """The element with most prose directly in it, links not counted."""
    texts: dict[Any, list[str]] = {}
    for element in root.iter("p", "h2", "h3", "blockquote", "li", "div", "td", "article", "section"):
        if any(a.tag in HIDDEN or a.tag == "footer" for a in element.iterancestors()):
            continue
        if element.tag in ("div", "td", "article", "section"):  # its own lines, separated by breaks
            own = [element.text, *(child.tail for child in element)]
            if element.find("br") is not None and sum(len(t.strip()) for t in own if t) >= _PAGE_LEAST:
                texts.setdefault(element, []).extend(
                    line for line in clean(text_of(element)).split("\n") if line
                )
            continue
        text = " ".join(text_of(element).split())
        links = sum(len(" ".join(text_of(a).split())) for a in element.iter("a"))
        if text and links <= len(text) / 2:
            texts.setdefault(element.getparent(), []).append(text)
    best, most = _Block([]), 0
    for element, found in texts.items():
        size = sum(len(text) for text in found if len(text) >= _PROSE_LEAST)
        if size > most:
            best, most = _Block(found, element.find(".//h1") is not None), size
    return best


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _covers(text: str, other: str) -> bool:
    """Whether `text` has nearly all sentences of `other`."""
    own = _letters(text)
    parts = [p for p in (_letters(s) for s in re.split(r"(?<=[.!?])\s+|\n+", other)) if len(p) > 20]
    parts = parts[:: len(parts) // _COMPARED + 1]
    return sum(p in own for p in parts) >= _COVERED * len(parts)


_ARTICLE_TYPE = re.compile(r"Article|Posting|Report|Review")


def _stated(root: Any, limits: Limits) -> dict[str, str]:
    """The JSON-LD of a page about its article: the longest text, and the metadata with it."""
    best: dict[str, str] = {}
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or "") or not script.text:
            continue
        depth = script.text.count("[") + script.text.count("{")
        if len(script.text) > limits.text or depth > 20_000:
            continue
        try:
            queue = [json.loads(script.text, strict=False)]
        except (ValueError, RecursionError):
            continue  # the page can be read without it
        named: dict[str, str] = {}  # by id, in a graph
        found: list[dict[str, Any]] = []
        while queue:
            item = queue.pop()
            if isinstance(item, list):
                queue += item
            if not isinstance(item, dict):
                continue
            queue += [v for v in item.values() if isinstance(v, (dict, list))]
            if isinstance(item.get("@id"), str) and _named(item):
                named[item["@id"]] = _named(item)
            kind = item.get("@type")
            if _ARTICLE_TYPE.search(" ".join(map(str, kind)) if isinstance(kind, list) else str(kind)):
                found.append(item)
        for item in found:
            facts = {
                "text": _named(item.get("articleBody")),
                "title": _named(item.get("headline")),
                "author": _named(item.get("author"), named),
                "sitename": _named(item.get("publisher"), named),
                "date": _named(item.get("datePublished")),
                "url": _named(item.get("url")),
            }
            if not best or len(facts["text"]) > len(best["text"]):
                best = facts
    return best


def _named(value: object, named: Mapping[str, str] = MappingProxyType({})) -> str:
    """A value of JSON-LD as text: a text itself, the name of an object, which may be told elsewhere (`named`, by id), or all
    items of a list."""
    if isinstance(value, dict):
        value = value.get("name") or named.get(str(value.get("@id")))
    if isinstance(value, list):
        return ", ".join(filter(None, (_named(v, named) for v in value[:20] if not isinstance(v, list))))
    return value if isinstance(value, str) else ""


_HEAD = {  # where a page states it, for what trafilatura does not find
    "title": "//meta[@property='og:title']/@content | //h1 | //title",
    "author": "//meta[@name='author']/@content",
    "sitename": "//meta[@property='og:site_name']/@content",
    "date": "//meta[@property='article:published_time']/@content",
    "url": "//link[@rel='canonical']/@href",
}


def read_html(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The article of a saved page."""
    yield page(decode_markup(whole(data, job.limits.text)), job.limits)


def page(markup: str, limits: Limits, url: str = "") -> Document:
    """The article of a page, with the metadata of its head. Raises `FormatError`."""
    root = parsed(markup, limits)
    if root is None:
        raise FormatError("holds no text")
    stated = _stated(root, limits)
    head = {key: str(root.xpath(f"string(({path})[1])")) for key, path in _HEAD.items()}
    _without_overlays(root)
    for label in root.xpath(_UNSEEN):  # for those who have the page read aloud
        if label.getparent() is not None and len(text_of(label)) < _PAGE_LEAST:
            remove(label)
    _without_links_to_others(root)
    _without_lists_of_paragraphs(root)
    tables_to_lines(root)
    from lxml import etree
    from trafilatura import bare_extraction

    block = _main_block(root)
    whole_text = text_of(root)
    found = bare_extraction(
        etree.tostring(root, encoding="unicode", method="html"),
        favor_precision=True,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        # a year in a footer is no date of publication
        date_extraction_params={"original_date": True, "extensive_search": False},
        fast=True,
    )
    facts = {
        key: str(getattr(found, key, None) or head.get(key, ""))
        for key in ("title", "author", "sitename", "date", "url", "text")
    }
    text = re.sub(r"\n+", "\n\n", facts.pop("text"))
    prose = "\n\n".join(block.texts)
    missed = len(prose) > len(text) and not _covers(text, prose)
    if missed and (
        len(text) < _PAGE_LEAST or _covers(prose, text) or (block.headed and len(prose) > 2 * len(text))
    ):
        text = prose
    if len(text) < _PAGE_LEAST:  # no article was found, so take all visible text
        text = max(text, clean(whole_text), key=len)
    body = stated.pop("text", "")
    body = html_to_text(body, limits) if "<" in body else body
    if len(body) >= _STATED_LEAST and not _covers(text, body):
        text = body
    facts |= {key: value for key, value in stated.items() if value}
    return finished(
        Document(
            "",
            text,
            facts["title"],
            facts["author"],
            facts["sitename"],
            stated.get("date") or head["date"] or facts["date"],
            "",
            facts["url"] or url,
        ),
        limits,
    )
