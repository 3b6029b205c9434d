"""Decoding: turns the bytes of a text into characters or refuses them. It never guesses where a quotation could become wrong."""

from __future__ import annotations

import codecs
import re

from rag.ingest.formats.base import FormatError, has_controls

BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
MOST_ACCENTED = 0.15  # share of bytes above 127 in Western European text in a one-byte encoding, generously
DETECT_LEAST = 64  # bytes; a shorter text is not enough to detect its encoding
# These differ from common ones only in capital letters, and have been out of use for twenty years.
_NEVER_MEANT = ["mac_cyrillic", "mac_greek", "mac_iceland", "mac_latin2", "mac_roman", "mac_turkish"]
DETECT_BYTES = 100_000  # of the text, for the detection


def decode(data: bytes) -> str:
    """The text of a file, without its byte order mark. Raises `FormatError`.

    A byte order mark decides; else UTF-8 where it is that; else Windows-1252 where the bytes look like Western European
    text; else what charset-normalizer finds, where it finds words of a language. Damaged UTF-8 is refused: guessing at it
    would put wrong letters into quotations.
    """
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), "")
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise FormatError(f"damaged {encoding.upper().removesuffix('-SIG')}; save it as UTF-8") from None
        text = _guess(data, error.start)
    if "\0" in text:
        try:
            text = "" if encoding else _guess(data, 0)
        except FormatError:
            text = ""
        if not text or "\0" in text:
            raise FormatError("holds NUL characters, so it is not text; save it as UTF-8")
    return text


def _guess(data: bytes, bad_byte: int) -> str:
    refused = FormatError(f"not text in UTF-8 (byte {bad_byte}); save it as UTF-8")
    valid = len(_UTF8_SEQUENCE.findall(data[:DETECT_BYTES]))
    if b"\0" not in data:
        try:
            western = data.decode("cp1252")
        except UnicodeDecodeError:
            western = ""
        high = sum(byte > 127 for byte in data)
        if western and not valid and high <= MOST_ACCENTED * len(data) and not has_controls(western):
            return western
        if valid and valid * 2 >= high / 2:  # mostly UTF-8, with a broken place
            raise refused
    if len(data) < DETECT_LEAST:
        raise refused
    from charset_normalizer import from_bytes

    best = from_bytes(data[:DETECT_BYTES], threshold=0.1, cp_exclusion=_NEVER_MEANT).best()
    if best is None or best.chaos > 0.1 or best.coherence < 0.1:
        raise refused
    try:
        text = data.decode(best.encoding)
    except UnicodeDecodeError:
        raise refused from None
    if has_controls(text):
        raise refused
    return text


# Pages and messages that declare the first mean the second, as browsers read them (WHATWG Encoding Standard).
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}


def decode_as(content: bytes, declared: str) -> str:
    """The text of bytes in a declared encoding. Raises `LookupError` or `UnicodeDecodeError` where the declaration is wrong."""
    name = codecs.lookup(declared).name
    if name.startswith(("iso8859", "cp125", "ascii")) and _UTF8_SEQUENCE.search(content):
        try:
            return content.decode("utf-8")  # no other text happens to be that
        except UnicodeDecodeError:
            pass
    try:
        return content.decode(_MEANT.get(name, name))
    except UnicodeDecodeError:
        return content.decode(name)


def decode_markup(content: bytes) -> str:
    """The text of markup, by its byte order mark or its declaration, else like other text. Raises `FormatError`."""
    declared = re.search(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9._-]{2,40})""", content[:2048])
    if declared and not content.startswith(tuple(mark for mark, _ in BOMS)):
        try:
            return decode_as(content, declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass  # its declaration is wrong
    return decode(content)
