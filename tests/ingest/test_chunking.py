"""Chunking: exact offsets, nothing lost, with the real langchain-text-splitters."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.ingest.articles import find_files, read_article
from rag.ingest.chunking import fingerprint, split
from rag.ingest.descriptions import content_span
from rag.ingest.furniture import regions
from rag.schema import Article, Chunk


def chunks_of(body: str, chunk_chars: int = 200, overlap_chars: int = 40) -> list[Chunk]:
    """The chunks, after checking every promise."""
    article = Article("a", "v", "a", body)
    chunks = split(article, chunk_chars, overlap_chars)
    content = content_span(body)
    body_left = [" "] * len(body)  # without what is no part of the article
    for part in regions(article):
        body_left[part.start : part.end] = body[part.start : part.end]
    seen, end = content.start, content.start
    for chunk in chunks:
        assert chunk.article_id == "a"
        assert body[chunk.start : chunk.end] == chunk.text == chunk.text.strip() != ""
        assert len(chunk.text) <= chunk_chars
        assert content.start <= chunk.start and chunk.end > end
        assert not "".join(body_left[seen : chunk.start]).strip(), "a character is in no chunk"
        assert len(body[chunk.start : end].strip()) <= overlap_chars
        seen = end = chunk.end
    assert not "".join(body_left[seen:]).strip()
    assert split(article, chunk_chars, overlap_chars) == chunks
    return chunks


@given(
    st.lists(
        st.sampled_from(
            ["The U.S. said so.", "No.", " ", "\n", "\r\n\r\n", "word ", "x" * 70, "aaaa", "好。", "\t", "”"]
        )
        | st.text(max_size=20),
        max_size=60,
    ).map("".join),
    st.integers(10, 120),
    st.integers(0, 60),
)
@settings(deadline=None)
def test_every_character_is_in_a_chunk_at_its_place(body: str, chunk_chars: int, overlap_chars: int) -> None:
    chunks_of(body, chunk_chars, min(overlap_chars, chunk_chars - 1))


def test_repeated_text_keeps_its_own_offsets() -> None:
    body = "The same words again and again. " * 100
    starts = [chunk.start for chunk in chunks_of(body)]
    assert len(set(starts)) == len(starts) > 10
    assert all(start % 32 == 0 for start in starts)


def test_text_is_cut_between_paragraphs_before_sentences() -> None:
    first, second = "One thing is here. " * 5, "Another thing is here. " * 5
    assert [c.text for c in chunks_of(f"{first.strip()}\n\n{second.strip()}", 150, 0)] == [
        first.strip(),
        second.strip(),
    ]


def test_a_chunk_repeats_the_last_sentence_of_the_one_before() -> None:
    body = " ".join(f"This is sentence number {n:03d} of it." for n in range(40))
    for before, after in zip(chunks_of(body, 200, 50), chunks_of(body, 200, 50)[1:], strict=False):
        assert after.text.startswith(before.text[-34:])
        assert after.text.startswith("This is sentence")


def test_no_chunk_begins_with_the_full_stop_of_the_one_before() -> None:
    body = "He said so. She did not. " * 50
    assert all(chunk.text[0].isalpha() and chunk.text.endswith(".") for chunk in chunks_of(body))


def test_front_matter_is_in_no_chunk() -> None:
    front = "---\ntitle: Hidden words\n---\n"
    chunks = chunks_of(front + "The text is here. " * 30)
    assert chunks[0].start == len(front)
    assert not any("Hidden" in chunk.text for chunk in chunks)


def test_the_seeds_are_chunked_whole(seeds_dir: Path) -> None:
    for path in find_files(seeds_dir):
        body = read_article(path, seeds_dir).body
        assert len(chunks_of(body, 800, 120)) >= len(body) // 800


@pytest.mark.parametrize("unit", ["a", "a ", "a. ", "\n", "."])
def test_a_megabyte_is_chunked_in_linear_time(unit: str) -> None:
    started = time.monotonic()
    split(Article("a", "v", "a", unit * (1_000_000 // len(unit)) + "b"), 800, 120)
    assert time.monotonic() - started < 15  # 10 times what it takes


def test_the_fingerprint_names_library_and_settings() -> None:
    prints = {fingerprint(800, 120), fingerprint(800, 100), fingerprint(700, 120)}
    assert len(prints) == 3
    assert all("langchain-text-splitters" in p for p in prints)
