"""Chunking: an article is cut into overlapping pieces with exact offsets, for embedding and search.

langchain-text-splitters cuts the text without overlap and without trimming. Its pieces joined are the text, so every offset
is a sum and never a search, which repeated words could mislead. The overlap is added here. This module knows texts and
lengths in characters, not vectors.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib.metadata import version

from rag.ingest.furniture import regions
from rag.schema import Article, Chunk, Span

# Where a text may be cut, best first: between paragraphs, lines, sentences, words. A piece keeps what ends it.
_SEPARATORS = [
    r"\n[^\S\n]*\n\s*",
    r"[\n\r\v\f\x85\u2028\u2029]\s*",
    r"(?:(?<=[.!?…])|(?<=[.!?…][\"”’')\]]))\s+|(?<=[。！？｡])",
    r"\s+",
]
_FORMAT = 2  # counts changes of the rules in this file
_SENTENCE_START = re.compile(r"(?:[.!?…][\"”’')\]]?\s+|[。！？｡]|[\n\r\v\f\x85\u2028\u2029]\s*)(?=\S)")
_WORD_START = re.compile(r"\s(?=\S)")


def fingerprint(chunk_chars: int, overlap_chars: int) -> str:
    """Names everything that decides where chunks begin and end. An index can only be used with an equal fingerprint."""
    library = version("langchain-text-splitters")
    return f"langchain-text-splitters {library}, {chunk_chars} characters, overlap {overlap_chars}, rules {_FORMAT}"


def _pieces(text: str, most: int) -> list[str]:
    """`text` cut into pieces of at most `most` characters, in order. Joined, they are `text` again."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        separators=_SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=most,
        chunk_overlap=0,
        length_function=len,
        strip_whitespace=False,
    )
    pieces: list[str] = []
    for piece in splitter.split_text(text):
        for at in range(0, len(piece), most):  # a "word" longer than a chunk is cut anywhere
            part = piece[at : at + most]
            if (
                pieces and len(pieces[-1]) + len(part) <= most
            ):  # left over by the recursion: a heading, a last line
                pieces[-1] += part
            else:
                pieces.append(part)
    return pieces


def _reach_back(body: str, start: int, low: int) -> int:
    """Where a chunk that begins at `start` begins with its overlap: the first sentence, else word, from `low` on."""
    for pattern in (_SENTENCE_START, _WORD_START):
        found = pattern.search(body, low, start)
        if found and found.end() < start:
            return found.end()
    return start


def split(
    article: Article, chunk_chars: int, overlap_chars: int, furniture: Collection[str] = ()
) -> list[Chunk]:
    """Cut `article` into chunks of at most `chunk_chars` characters, in order; the same input gives the same chunks.

    Every character that is neither white space, front matter nor furniture of the page is in at least one chunk
    (`furniture` are such lines, learned from other articles). A chunk neither begins nor ends with white space, and repeats at
    most the last `overlap_chars` characters of what came before it, from the beginning of a sentence, else of a word.
    Needs 0 <= overlap_chars < chunk_chars.
    """
    return [
        chunk
        for part in regions(article, furniture)
        for chunk in _split(article, part, chunk_chars, overlap_chars)
    ]


def _split(article: Article, part: Span, chunk_chars: int, overlap_chars: int) -> list[Chunk]:
    """The chunks of one part of the body."""
    chunks: list[Chunk] = []
    place = part.start
    for piece in _pieces(article.body[part.start : part.end], chunk_chars - overlap_chars):
        start, end = place + len(piece) - len(piece.lstrip()), place + len(piece.rstrip())
        place += len(piece)
        if start >= end:
            continue
        if chunks:
            start = _reach_back(
                article.body, start, max(part.start, end - chunk_chars, start - overlap_chars)
            )
        text = article.body[start:end]
        assert text and text == text.strip() and end - start <= chunk_chars, (
            "a chunk is an exact piece of its article"
        )
        chunks.append(Chunk(article.id, start, end, text))
    assert place == part.end, "the pieces of a text are the text"
    return chunks
