"""Windows: every sentence is read beside a neighbour, its place is exact, and title and date stand ahead."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.windows import (
    MOST_CHARS,
    SENTENCES,
    Window,
    head_of,
    likeliest,
    locate,
    states,
    windows_of,
)
from rag.schema import Article, Chunk, Field, Origin, PartialDate, Passage, Span
from rag.text.sentences import sentences
from rag.text.words import plain
from tests.made import article, passage

BODY = (
    "The river rose on Monday.  Two bridges fell\tin the night. The evacuation lasted three hours. "
    "About 900 people slept in schools. The army sent ten boats. The mayor thanked the crews."
)


@given(
    st.lists(st.integers(min_value=3, max_value=130), min_size=1, max_size=12),
    st.integers(),
    st.integers(),
)
def test_every_sentence_of_a_passage_is_in_a_window_at_its_exact_place(
    lengths: list[int], low: int, high: int
) -> None:
    body = "  ".join(f"Sentence {n} {'goes on ' * (length // 2)}here." for n, length in enumerate(lengths))
    of = article(body)
    first, last = sorted((low % len(body), high % len(body)))
    made = windows_of([passage(of, start=first, end=last + 1)])
    touched = {s for s in sentences(body) if s.end > first and s.start < last + 1}
    assert touched <= {s for w in made for s in w.spans}
    for window in made:
        assert all(s in sentences(body) for s in window.spans)
        assert len(window.spans) == 1 or window.spans[-1].end - window.spans[0].start <= MOST_CHARS
        assert len(window.spans) <= SENTENCES
        assert window.text == " ".join(plain(body[s.start : s.end]) for s in window.spans)


def test_a_sentence_is_read_beside_the_one_before_it() -> None:
    spans = sentences(BODY)
    made = windows_of([passage(article(BODY))])
    for before, span in pairwise(spans):
        assert any(before in w.spans and span in w.spans for w in made)
    third = BODY[spans[2].start : spans[2].end]
    assert any(spans[1] in w.spans for w in windows_of([passage(article(BODY), third)])), "though not found"


def test_the_foot_of_a_page_is_in_no_window_though_it_stands_beside_the_last_sentence() -> None:
    body = f"{BODY}\nDiscover more from Harbour Post\nSubscribe to get the latest posts sent to your email."
    made = windows_of([passage(article(body, publisher="Harbour Post"), BODY)])
    assert made and not any("Discover" in w.text or "Subscribe" in w.text for w in made)


def test_windows_of_overlapping_passages_are_made_once_with_the_best_rank() -> None:
    of = article(BODY)
    once, twice = windows_of([passage(of)]), windows_of([passage(of), passage(of, rank=2)])
    assert once == twice and {w.rank for w in twice} == {1}


@pytest.mark.parametrize(
    ("title", "published", "head"),
    [
        ("Floods", PartialDate(2025, 7, 14), "Floods (14 July 2025): "),
        ("Floods ", PartialDate(2025, 7), "Floods (July 2025): "),
        ("", PartialDate(2025), "(2025): "),
        ("Floods\nin\u200b Leeds", PartialDate(month=7, day=14), "Floods in Leeds: "),
        ("", None, ""),
    ],
)
def test_title_and_date_stand_ahead_as_far_as_they_are_known(
    title: str, published: PartialDate | None, head: str
) -> None:
    of = article(BODY, title, published)
    assert head_of(of) == head
    assert windows_of([passage(of)])[0].text.startswith(
        f"{head}The river rose on Monday. Two bridges fell in"
    )


def test_characters_of_a_window_lead_back_to_the_sentence_of_the_article() -> None:
    of = article(BODY, "Floods", PartialDate(2025, 7, 14))
    window = Window(of, tuple(sentences(BODY)[:3]), 1)
    for words, sentence in (
        ("Two bridges fell in the night", "Two bridges fell\tin the night."),
        ("three hours", "The evacuation lasted three hours."),
    ):
        start = window.text.index(words)
        at = window.at(start, start + len(words))
        assert at is not None
        span, value = at
        assert (value, BODY[span.start : span.end]) == (words, sentence)
    assert window.at(0, len("Floods (14")) is None, "the title is not the article's text"
    across = window.at(window.text.index("Monday"), window.text.index("the night") + 9)
    assert across is not None and across[1] == "Two bridges fell in the night", "that of most of it"


def test_words_are_located_in_the_article_whatever_its_spaces() -> None:
    span = sentences(BODY)[1]
    at = locate("fell in the", span, BODY)
    assert at is not None and BODY[at.start : at.end] == "fell\tin the"
    assert locate("three hours", span, BODY) is None
    assert locate("", span, BODY) is None
    assert locate("(a+b", Span(0, 9), "see (a+b)") == Span(4, 8)


@pytest.mark.parametrize(
    "text",
    [
        "Was it over?",
        "“Was it really over?”",
        "Read more",
    ],
)
def test_questions_and_fragments_are_never_evidence(text: str) -> None:
    body = f"{BODY}\n\n{text}\n\nIt ended on Friday at noon."
    read = " ".join(w.text for w in windows_of([passage(article(body))]))
    assert text not in read and "It ended on Friday at noon." in read


def test_ordinary_sentences_state_something() -> None:
    assert states("He asked “why?” and left.")


def test_the_windows_that_share_most_words_with_the_question_come_first() -> None:
    floods = article(BODY, "Floods", name="floods")
    talks = article("Ministers met in Ankara. The talks lasted an hour. Nobody was sure why.", name="talks")
    made = windows_of([passage(talks), passage(floods, rank=2)])
    best = likeliest("How long did the evacuation during the floods last?", made, 1)
    assert ["evacuation" in w.text for w in best] == [True]
    assert likeliest("Unrelated?", made, 1)[0].article is talks, "among equals that of the better passage"
    assert likeliest("Unrelated?", made, 99) == likeliest("Unrelated?", made[::-1], 99)


def test_the_title_stands_ahead_of_a_window_and_not_in_it() -> None:
    body = "date 2025-07-10 Rubio to meet Lavrov in Malaysia\n\nThe two will meet on Thursday. They met in February.\n"
    start = body.index("Rubio")
    title = Field("Rubio to meet Lavrov in Malaysia", Origin.STATED, Span(start, start + 32))
    article = Article("a", "0", "a.txt", body, title)
    passage = Passage(Chunk("a", 0, len(body), body), article, 1, 1.0)
    (window,) = windows_of([passage])
    assert (
        window.text
        == "Rubio to meet Lavrov in Malaysia: The two will meet on Thursday. They met in February."
    )


def test_an_article_in_other_words_is_not_crowded_out() -> None:
    repeats = article(
        " ".join(f"The talks between them lasted into hour {n}." for n in range(40)), name="long"
    )
    other = article("They met in Ankara. Fifty minutes was all it took. Nobody was sure why.", name="short")
    made = windows_of([passage(repeats), passage(other, rank=2)])
    question = "How long did the talks between them last?"
    assert {w.article.id for w in likeliest(question, made, 6)} == {repeats.id}
    fair = likeliest(question, made, 6, 2)
    assert len(fair) == 6 and fair[:4] == likeliest(question, made, 4)
    assert other.id in {w.article.id for w in fair}
    assert len(likeliest(question, windows_of([passage(repeats)]), 6, 2)) == 6, "none is left free"
