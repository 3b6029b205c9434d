"""Office: the text of Word, OpenDocument, PowerPoint and RTF files, as in print.

Of tracked changes, insertions count and deletions do not.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import IO, Any

from rag.ingest.formats.archives import Parts
from rag.ingest.formats.base import (
    Document,
    FormatError,
    Found,
    Job,
    finished,
    raise_figures,
    rows_as_lines,
    times,
    whole,
)
from rag.ingest.formats.pdf import is_given

_PROGRAM_AUTHORS = ("python-docx", "user", "admin", "administrator")  # what programs enter as the author


def _facts(properties: Any) -> tuple[str, str]:
    """(title, author) of a file's properties. Its times are not dates of publication."""
    if properties is None:
        return "", ""

    def value(name: str) -> str:
        return str(properties.xpath(f"string((//*[local-name()='{name}'])[1])")).strip()

    title, author = value("title"), value("initial-creator") or value("creator")
    return title if is_given(title) else "", "" if author.lower() in _PROGRAM_AUTHORS else author


def _tag(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _attribute(elements: Any, name: str) -> str | None:
    """The attribute `name`, in any namespace, of the first of some elements. "" where it is missing, None without elements."""
    return next(
        (v for e in elements for k, v in e.attrib.items() if k.rpartition("}")[2] == name),
        "" if len(elements) else None,
    )


# --- Word --------------------------------------------------------------------------------------------------------

_GONE = frozenset(("del", "moveFrom", "delText", "instrText", "pPr", "rPr", "tblPr", "sectPr", "Fallback"))
_MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def _docx_blocks(parent: Any) -> Iterator[str]:
    """The paragraphs under an element, and a line for each row of its tables, in order."""
    for element in parent:
        tag = _tag(element)
        if tag == "p":
            boxes: list[Any] = []
            yield _docx_text(element, boxes)
            for box in boxes:
                yield from _docx_blocks(box)
        elif tag == "tbl":
            yield "\n".join(rows_as_lines(_docx_grid(element)))
        elif tag not in _GONE:
            yield from _docx_blocks(element)  # content controls, insertions, custom XML


def _docx_text(paragraph: Any, boxes: list[Any]) -> str:
    text = ""
    for words, is_raised in _docx_words(paragraph, boxes):
        text += raise_figures(text, words) if is_raised else words
    return text


def _docx_words(element: Any, boxes: list[Any], is_raised: bool = False) -> Iterator[tuple[str, bool]]:
    """The words of a paragraph, and whether they are raised; text boxes anchored to it are added to `boxes`."""
    for inner in element:
        tag = _tag(inner)
        if tag == "t":
            yield inner.text or "", is_raised
        elif tag in _MARKS:
            yield _MARKS[tag], False
        elif tag == "txbxContent":
            boxes.append(inner)
        elif tag == "r" and any(_is_on(inner, mark) for mark in ("vanish", "strike", "dstrike")):
            continue  # hidden or struck out
        elif tag not in _GONE:
            raised = tag == "r" and _attribute(inner.findall("{*}rPr/{*}vertAlign"), "val") == "superscript"
            yield from _docx_words(inner, boxes, raised)


def _is_on(run: Any, mark: str) -> bool:
    return _attribute(run.findall(f"{{*}}rPr/{{*}}{mark}"), "val") not in (None, "0", "false")


def _docx_grid(table: Any) -> list[list[str | None]]:
    """The cells. One that is merged over several rows is in each of them; over several columns, in the first."""
    grid: list[list[str | None]] = []
    for row in table.iter("{*}tr"):
        if next(row.iterancestors("{*}tbl"), None) is not table or row.find("{*}trPr/{*}del") is not None:
            continue
        line: list[str | None] = []
        for cell in row.iter("{*}tc"):
            if next(cell.iterancestors("{*}tr"), None) is not row:
                continue
            text: str | None = " ".join(t for t in _docx_blocks(cell) if t.strip())
            merged = _attribute(cell.findall("{*}tcPr/{*}vMerge"), "val")
            if merged is not None and merged != "restart" and grid and len(line) < len(grid[-1]):
                text = grid[-1][len(line)]
            wide = _attribute(cell.findall("{*}tcPr/{*}gridSpan"), "val") or ""
            line += [text, *([None] * (times(wide) - 1))]
        grid.append(line)
    return grid


def read_docx(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """A Word file: its text, text boxes at their anchors, footnotes at the end."""
    parts = Parts(whole(data, job.limits.file), job.limits)
    document = parts.root("word/document.xml")
    if document is None:
        raise FormatError("lacks word/document.xml; save it again as DOCX")
    blocks = [*_docx_blocks(document)]
    for notes in ("word/footnotes.xml", "word/endnotes.xml"):
        root = parts.root(notes)
        blocks += _docx_blocks(root) if root is not None else ()
    title, author = _facts(parts.root("docProps/core.xml"))
    yield finished(Document("", "\n\n".join(blocks), title, author), job.limits)


# --- OpenDocument ------------------------------------------------------------------------------------------------

_ODT_GONE = frozenset(("tracked-changes", "annotation", "note-citation", "sequence-decls", "forms"))


def _odt_words(element: Any, notes: list[Any]) -> Iterator[str]:
    """The words of a paragraph; footnotes and boxes are added to `notes`."""
    yield element.text or ""
    for inner in element:
        tag = _tag(inner)
        if tag == "s":
            yield " " * times(_attribute([inner], "c") or "")
        elif tag in ("tab", "line-break"):
            yield "\t" if tag == "tab" else "\n"
        elif tag in ("note-body", "text-box"):
            notes.append(inner)
        elif tag and tag not in _ODT_GONE:
            yield from _odt_words(inner, notes)
        yield inner.tail or ""


def _odt_blocks(parent: Any) -> Iterator[str]:
    for element in parent:
        tag = _tag(element)
        if tag in ("p", "h"):
            notes: list[Any] = []
            yield "".join(_odt_words(element, notes))
            for note in notes:
                yield from _odt_blocks(note)
        elif tag == "table":
            grid: list[list[str | None]] = []
            for row in element.iter("{*}table-row"):
                line: list[str | None] = []
                for place, cell in enumerate(row):
                    kind = _tag(cell)
                    text: str | None = " ".join(t for t in _odt_blocks(cell) if t.strip())
                    if kind == "covered-table-cell":
                        above = grid[-1][place] if grid and place < len(grid[-1]) else None
                        text = text or (above if _reaches_down(row, place) else None)
                    if kind in ("table-cell", "covered-table-cell") and len(line) < 1000:
                        line.append(text)
                grid.append(line)
            yield "\n".join(rows_as_lines(grid))
        elif tag and tag not in _ODT_GONE:
            yield from _odt_blocks(element)


def _mark_odt(content: Any) -> None:
    """Take what is struck out from the text, and write raised figures as such; styles say which text that is."""
    marks: dict[str | None, str] = {}
    for style in content.iter("{*}style"):
        looks = style.findall("{*}text-properties")
        if (_attribute(looks, "text-line-through-style") or "none") != "none":
            marks[_attribute([style], "name")] = "struck"
        elif (_attribute(looks, "text-position") or "").startswith("super"):
            marks[_attribute([style], "name")] = "raised"
    for span in content.iter("{*}span"):
        mark = marks.get(_attribute([span], "style-name"))
        if mark is None or len(span):
            continue
        previous, parent = span.getprevious(), span.getparent()
        before = (parent.text if previous is None else previous.tail) or ""
        span.text = raise_figures(before, span.text or "") if mark == "raised" else ""


def _reaches_down(row: Any, place: int) -> bool:
    """Whether the cell that covers this one is above it and not to its left."""
    return (_attribute(row[max(0, place - 1) : place], "number-columns-spanned") or "1") == "1"


def read_odt(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """A text of LibreOffice and the like."""
    parts = Parts(whole(data, job.limits.file), job.limits)
    content = parts.root("content.xml")
    body = content.find(".//{*}body") if content is not None else None
    if body is None:
        raise FormatError("lacks its content.xml; save it again as ODT")
    _mark_odt(content)
    title, author = _facts(parts.root("meta.xml"))
    yield finished(Document("", "\n\n".join(_odt_blocks(body)), title, author), job.limits)


# --- PowerPoint, RTF ---------------------------------------------------------------------------------------------


def read_pptx(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The slides of a presentation in order, each from top to bottom, with its notes."""
    content = whole(data, job.limits.file)
    Parts(content, job.limits).check_all()
    import pptx
    from pptx.enum.shapes import PP_PLACEHOLDER as KIND

    frame = (KIND.DATE, KIND.FOOTER, KIND.HEADER, KIND.SLIDE_NUMBER)
    deck = pptx.Presentation(io.BytesIO(content))
    blocks: list[str] = []

    def add(shapes: Any) -> None:
        for shape in sorted(shapes, key=lambda s: (s.top or 0, s.left or 0)):
            if shape.is_placeholder and shape.placeholder_format.type in frame:
                continue
            if hasattr(shape, "shapes"):
                add(shape.shapes)
            elif getattr(shape, "has_table", False):
                grid: list[list[str | None]] = [
                    [None if cell.is_spanned else cell.text for cell in row.cells] for row in shape.table.rows
                ]
                blocks.append("\n".join(rows_as_lines(grid)))
            elif shape.has_text_frame:
                blocks.extend(paragraph.text.replace("\v", "\n") for paragraph in shape.text_frame.paragraphs)

    for slide in deck.slides:
        if slide._element.get("show") == "0":
            continue  # hidden
        add(slide.shapes)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            blocks.append(slide.notes_slide.notes_text_frame.text)
    about = deck.core_properties
    title, author = str(about.title or ""), str(about.author or "")
    generated = not is_given(title) or title == "PowerPoint Presentation"
    yield finished(
        Document(
            "",
            "\n\n".join(blocks),
            "" if generated else title,
            ""
            if author.lower() in (*_PROGRAM_AUTHORS, "steve canny")
            else author,  # python-pptx' own template
        ),
        job.limits,
    )


_MOST_NOTES = 10_000
_RTF_FACT = r"\{\\%s\s+((?:[^{}\\]|\\'[0-9a-f]{2}|\\u-?\d+ ?\??)*)\}"


def _without(markup: str, word: str) -> tuple[str, list[str]]:
    """RTF without the groups of the control word `word`, and the contents of those groups. "word0" ends what "word" began."""
    token = re.compile(rf"\\[\\{{}}]|[{{}}]|\\{word}(?![a-z])\d* ?")
    kept: list[str] = []
    taken: list[str] = []
    place = depth = 0
    inside: int | None = None  # depth of the group that is being removed
    for found in token.finditer(markup):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            if inside == depth:
                taken.append(markup[place : found.start()])
                inside, place = None, found.start()
            depth -= 1
        elif len(found[0]) > 2 and found[0].strip().endswith(f"{word}0"):
            if inside is not None:
                taken.append(markup[place : found.start()])
                inside, place = None, found.end()
        elif len(found[0]) > 2 and inside is None:
            kept.append(markup[place : found.start()])
            inside, place = depth, found.end()
    return "".join(kept) + (markup[place:] if inside is None else ""), taken


# Corrections, hidden text, addresses of links, comments.
_RTF_UNPRINTED = ("deleted", "strike", "v", "fldinst", "annotation")
_RTF_RAISED = re.compile(r"(\\super )(\d{1,3})(?!\d)")
_RTF_CONTROL = re.compile(r"\\[a-z]+-?\d* ?|[{}]")


def _raised(match: re.Match[str]) -> str:
    before = _RTF_CONTROL.sub("", match.string[max(0, match.start() - 100) : match.start()])
    return match[1] + "".join(f"\\u{ord(figure)} ?" for figure in raise_figures(before, match[2]))


def read_rtf(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """An RTF text, as WordPad, older versions of Word and many newsroom systems write it."""
    content = whole(data, job.limits.text)
    if not content.lstrip().startswith(b"{\\rtf"):
        raise FormatError("is not RTF; save it again")
    markup = content.decode("latin-1")
    if markup.count("{") > 1_000_000:
        raise FormatError("holds too many groups; save it as text")
    from striprtf.striprtf import rtf_to_text

    def fact(key: str) -> str:
        found = re.search(_RTF_FACT % key, markup[:20_000])
        return rtf_to_text("{\\rtf1 " + found[1] + "}", errors="ignore").strip() if found else ""

    printed = markup
    for unprinted in _RTF_UNPRINTED:
        printed, _ = _without(printed, unprinted)
    printed = _RTF_RAISED.sub(_raised, printed)
    printed, notes = _without(printed, "footnote")
    text = rtf_to_text(printed, errors="replace")
    text += "".join(
        "\n" + rtf_to_text(f"{{\\rtf1 {note}}}", errors="replace").strip() for note in notes[:_MOST_NOTES]
    )
    # a row of a table has a bar after each cell
    rows = [line.rstrip("|").replace("|", "\t") if line.endswith("|") else line for line in text.split("\n")]
    title = fact("title")
    yield finished(
        Document("", "\n\n".join(rows), title if is_given(title) else "", fact("author")), job.limits
    )
