"""Text: sentences with offsets, plain and folded text, words and stems."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.sentences import MAX_SENTENCE_CHARS, sentences
from rag.text.words import content_words, fold, plain, words


def cut(text: str) -> list[str]:
    return [text[s.start : s.end] for s in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["The talks ended.", "Both sides agreed."],
        ["U.S. Secretary of State Ann Lee met Mr. Cho.", "Gen. J. R. Smith did not."],
        ["He met Donald J. Trump in Washington, D.C.", "The two spoke at 5 p.m. Thursday."],
        ["Rates rose 3.5 percent, to $4.2bn, says News.Az or example.com.", "Nobody knew."],
        ["She called it “frank and important.”", "Then she left."],
        ['He said: "We are done."', '"Good," she said.'],
        ["“Why now?” Mr. Smith asked.", "“Because!” he shouted."],
        ["“Are you there?” she asked.", "Nobody was."],
        ["Really?!", "Yes… It was.", "No."],
        ["No. 5 is empty.", "No.", "He said so."],
        ["He won (see above.)", "She lost.[12]", "Both left."],
        ["In Dec. 2024 it began.", "It ended in Dec.", "The rest is known."],
        ["I prefer plan B.", "The others do not."],
        ["It fell by 400 in 2024.", "728 were left."],
        ["He spoke of “the plan … Moscow wants” again.", "They left."],
        ["The army of the U.S.", "In July it moved."],
        ["The firm, Acme Inc. of Ohio, paid.", "It owns Smith Bros. Ltd."],
        ["EUGENE, Ore. — Runners met here.", "LIMA, Ohio - It rained.", "He left."],
        ["Roads close at 5 a.m.", "Cyclists may pass until 9 a.m. GMT.", "Buses run from 6 p.m. Friday."],
    ],
)
def test_text_is_cut_where_sentences_end_and_nowhere_else(parts: list[str]) -> None:
    joined = " ".join(parts)
    expected = [p for part in parts for p in part.replace("Yes… It", "Yes…\0It").split("\0")]
    assert cut(joined) == expected


def test_wide_full_stops_end_sentences_without_a_space() -> None:
    assert cut("会议持续了五十分钟。“好。”他说！再见") == ["会议持续了五十分钟。", "“好。”", "他说！", "再见"]


def test_a_line_is_never_joined_to_the_next() -> None:
    text = "A heading without a stop\n\n- First thing,\r\n- Second thing\u20281. Third thing. Indeed.\n---\n"
    assert cut(text) == [
        "A heading without a stop",
        "- First thing,",
        "- Second thing",
        "1. Third thing.",
        "Indeed.",
    ]


def test_a_range_is_cut_with_offsets_of_the_whole() -> None:
    text = "One is here. Two is here. Three is here."
    assert [text[s.start : s.end] for s in sentences(text, 13, 26)] == ["Two is here."]
    assert sentences(text, 13, 26)[0].start == 13


def test_a_sentence_without_end_is_cut_after_a_semicolon_or_between_words() -> None:
    listed = "; ".join("item number " + "x" * 40 for _ in range(40))
    pieces = cut(listed)
    assert len(pieces) > 1 and all(p.endswith(";") for p in pieces[:-1])
    assert " ".join(pieces) == listed
    assert all(len(p) <= MAX_SENTENCE_CHARS for p in cut("word " * 1000) + cut("x" * 5000))
    assert all(p.endswith("word") for p in cut("word " * 1000))


@given(st.text(alphabet=st.sampled_from('aB1 .!?…。”"“(;,\n\r\t\u200b\u0301É- '), max_size=300))
def test_sentences_are_trimmed_ordered_pieces_that_hold_every_letter(text: str) -> None:
    spans = sentences(text)
    place = 0
    for span in spans:
        piece = text[span.start : span.end]
        assert place <= span.start < span.end <= len(text)
        assert piece == piece.strip() and len(piece.splitlines()) == 1
        assert not any(c.isalnum() for c in text[place : span.start])
        place = span.end
    assert not any(c.isalnum() for c in text[place:])


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["a", "a. ", "A. ", ".", "a.", "“", " ", "1,000", "('", "?!” ", "…", "a;"])
def test_a_line_of_a_million_characters_is_read_in_linear_time(unit: str) -> None:
    started = time.monotonic()
    text = unit * (1_000_000 // len(unit))
    sentences(text)
    words(text)
    assert time.monotonic() - started < 20  # 10 times what it takes; quadratic would be an hour


def test_plain_text_holds_nothing_invisible() -> None:
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "ignore")
    text = f"\ufeffPay\u200b the\u202e b\u2066ank\u00ad{hidden}\x00\x07\ufe0f\u3164\ud800\n\n now\u00a0\t!"
    assert plain(text) == "Pay the bank now !"
    assert plain("a" + "\u0301" * 10_000) == "a" + "\u0301" * 4
    assert plain("naïve 会议 🙂 हिन्दी") == "naïve 会议 🙂 हिन्दी"


@given(st.text(max_size=200))
def test_plain_is_one_trimmed_line_and_settled(text: str) -> None:
    shown = plain(text)
    assert shown == plain(shown) == " ".join(shown.split())
    assert fold(shown) == fold(text)


def test_fold_unites_ways_of_writing_the_same() -> None:
    assert fold("  “Détente”—Zelenskyy’s ﬁnal\u00a0Łódź ") == '"detente"-zelenskyy\'s final lodz'
    assert fold("STRASSE") == fold("straße")
    assert fold("Моscow") != fold("Moscow")  # a Cyrillic look-alike stays different


def test_words_keep_numbers_and_initials_whole() -> None:
    text = "The U.S. sent 1,000 men (3.5% of F-16s), don't 24x7; U.N.'s a.m. 10,000.5 New_York 1,2"
    assert words(text) == (
        "the us sent 1000 men 3.5 of f 16s don't 24x7 un s am 10000.5 new york 1 2".split()  # noqa: SIM905
    )
    assert words("会议 हिन्दी Ünïon") == ["会", "议", "हिन्दी", "union"]


@pytest.mark.parametrize(
    "forms",
    [
        "meeting meet meets meetings",
        "country countries country's",
        "plan planned planning plans",
        "control controlled controls",
        "pass passed passes passing",
        "make makes making",
        "agree agreed agrees agreeing",
        "use used uses using",
        "carry carried carries carrying",
        "drone drones",
    ],
)
def test_forms_of_a_word_share_a_stem(forms: str) -> None:
    assert len(set(content_words(forms))) == 1


def test_different_words_keep_different_stems() -> None:
    kept = content_words("new news king bring bus boss speed need thing minister ministry us")
    assert len(set(kept)) == len(kept) == 12


def test_function_words_are_no_content() -> None:
    assert content_words("What did the two of them say about it in 2025?") == ["two", "say", "2025"]
