"""Mail: messages (EML) with their attachments, and pages saved as one file (MHT), which have the same format."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import groupby
from pathlib import PurePosixPath
from typing import IO

from rag.ingest.formats.archives import read_inside, unread
from rag.ingest.formats.base import Document, FormatError, Found, Job, Refused, finished, whole
from rag.ingest.formats.decoding import decode, decode_as, decode_markup
from rag.ingest.formats.html import page
from rag.ingest.formats.markup import html_to_text
from rag.ingest.formats.wrapping import unwrap

_MOST_PARTS = 1000


def _message(data: IO[bytes], job: Job) -> EmailMessage:
    from email.parser import BytesParser
    from email.policy import default

    message = BytesParser(EmailMessage, policy=default).parse(io.BytesIO(whole(data, job.limits.file)))
    if not message.keys():
        raise FormatError("has no header with a subject and a sender, so it is not a message")
    return message


def _bytes(part: EmailMessage) -> bytes:
    if part.get_content_type() == "message/rfc822":
        return bytes(part.get_content())
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: EmailMessage, markup: bool) -> str:
    """The text of a part, by its charset, else like other text."""
    content = _bytes(part)
    charset = part.get_content_charset()
    try:
        return decode_as(content, charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode_markup(content) if markup else decode(content)


_STUB = 300  # characters of plain text that may only say where the message can be read
_FULLER = 3  # times as long is markup that says more


def _body(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return _text(body, kind == "html") if isinstance(body, EmailMessage) else ""


def _plain_body(message: EmailMessage) -> str:
    return unwrap(_own_words(_body(message, "plain").replace("\r\n", "\n")))


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


# The last lines (RFC 3676). Where the space behind the dashes was lost, they may be a line between two items of news.
_SIGNATURE = re.compile(r"^--(?: $(?:\n[^\n]*){0,9}|$(?:\n[^\n]{0,60}){0,4})\s*\Z", re.M)
_MARKS = re.compile(r"[> ]*")
_QUOTED_MARKUP = (
    "//blockquote[@type='cite' or contains(@class, 'gmail_quote') or preceding-sibling::*[1][contains(@class, 'gmail_attr')]]"
    "[not(contains(., 'Subject:'))] | //*[contains(@class, 'gmail_attr')][following-sibling::*[1][self::blockquote]]"
)


def _own_words(text: str) -> str:
    """A message without its signature and what it quotes of earlier ones, with the line that introduces each. What it forwards is
    kept, and so is all of a message that only quotes."""
    own: list[str] = []
    lines = _SIGNATURE.sub("", text).split("\n")
    for is_quoted, group in groupby(lines, lambda line: line.startswith(">")):
        said = [_MARKS.sub("", line, count=1) if is_quoted else line for line in group]
        if not is_quoted or any(line.startswith("Subject:") for line in said):
            own += said
            continue
        while own and not own[-1].strip():
            own.pop()
        if own and own[-1].rstrip().endswith(":"):
            own.pop()  # "Ann Lee wrote:"
        own.append("")
    return "\n".join(own).strip() or "\n".join(_MARKS.sub("", line, count=1) for line in lines)


def read_eml(name: str, data: IO[bytes], job: Job, endings: frozenset[str]) -> Iterator[Found]:
    """A message as an article with subject, sender, day and text. Attachments are read as separate files."""
    message = _message(data, job)
    text = _plain_body(message)
    if len(text) < _STUB and (markup := _body(message, "html")):
        fuller = html_to_text(markup, job.limits, without=_QUOTED_MARKUP)
        text = fuller if len(fuller) > _FULLER * len(text) else text
    senders = getattr(message.get("from"), "addresses", ())
    sender = str(senders[0].display_name or senders[0].addr_spec) if senders else ""
    others: Counter[str] = Counter()
    attached: list[tuple[str, bytes]] = []
    for number, part in enumerate(message.iter_attachments(), 1):
        if number > _MOST_PARTS:
            raise FormatError(f"holds more than {_MOST_PARTS} attachments; save them as files")
        shown = part.get_content_disposition() == "inline" and part.get_content_maintype() == "image"
        file = PurePosixPath((part.get_filename() or "").replace("\\", "/")).name
        if part.get_content_type() == "message/rfc822":
            file = f"message {number}.eml"  # a forwarded message
        suffix = PurePosixPath(file).suffix.lower()
        if shown:
            continue  # a logo inside the text
        if suffix in endings and file.isprintable() and job.depth + 1 < job.limits.nested:
            attached.append((file, _bytes(part)))
        else:
            others[suffix if suffix.isprintable() else ""] += 1
    if text.strip():
        yield finished(
            Document("", text, _header(message, "subject"), sender, "", _header(message, "date")), job.limits
        )
    elif not attached:
        yield Refused("", "holds no text")
    for file, content in attached:
        yield from read_inside(file, content, job)
    if others:
        yield Refused("*", f"attached: {unread(others)}")


def read_mht(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """A page that a browser saved as one file. The date in its head is that of saving, so it is not used."""
    message = _message(data, job)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            url = _header(message, "snapshot-content-location") or _header(part, "content-location")
            yield page(_text(part, True), job.limits, url if url.startswith("http") else "")
            return
    raise FormatError("holds no page; save it again as HTML")
