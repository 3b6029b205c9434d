"""The program that makes true statements false."""

import re
from pathlib import Path

import pytest

from eval.tamper import Kind, Name, Tampered, Type, names_of, tamper
from rag.articles import find_files, read_article

NAMES = [
    Name("Berg", Type.OTHER),
    Name("Costa", Type.OTHER),
    Name("Anna Berg", Type.OTHER),
    Name("Luis Costa", Type.OTHER),
    Name("Rome", Type.PLACE),
    Name("Oslo", Type.PLACE),
    Name("Italian", Type.DEMONYM),
]


def one(sentence: str, kind: Kind, seed: int = 1) -> Tampered:
    return next(t for t in tamper(sentence, NAMES, seed) if t.kind is kind)


def kinds(sentence: str) -> set[Kind]:
    return {t.kind for t in tamper(sentence, NAMES, 1)}


@pytest.mark.parametrize(
    "sentence", ["It flew 728 drones.", "It cost 1,128 euros.", "Eight ships sank.", "It fell 2.5 percent."]
)
def test_a_number_becomes_another_one_written_alike(sentence: str) -> None:
    made = one(sentence, Kind.NUMBER)
    assert made.text != sentence
    assert made.text == sentence.replace(made.old, made.new)
    assert re.sub(r"[\d,]+", "0", made.new) == re.sub(r"[\d,]+", "0", made.old) or made.new.istitle()


def test_a_date_is_changed_in_one_of_its_parts_and_is_no_number() -> None:
    made = one("They met on Thursday, July 10, 2025.", Kind.DATE)
    assert made.old in ("Thursday", "July", "10", "2025")
    assert kinds("They met on Thursday, July 10, 2025.") == {Kind.DATE}


def test_a_name_becomes_one_of_its_sort_and_length() -> None:
    assert one("The talks were in Rome.", Kind.NAME).text == "The talks were in Oslo."
    assert one("We saw Anna Berg there.", Kind.NAME).text == "We saw Luis Costa there."


def test_a_name_inside_a_longer_unknown_name_is_left() -> None:
    assert Kind.NAME not in kinds("We saw Carlo Berg there.")


def test_a_name_is_never_replaced_by_one_of_the_sentence() -> None:
    assert (
        Kind.NAME not in kinds("Rome wrote to Oslo.")
        or "Rome wrote" not in one("Rome wrote to Oslo.", Kind.NAME).text
    )


@pytest.mark.parametrize(
    ("sentence", "changed"),
    [
        ("It is open.", "It is not open."),
        ("It has been closed.", "It has not been closed."),
        ("They will meet.", "They will not meet."),
        ("It did not close.", "It did close."),
        ("It wasn't the first.", "It was the first."),
    ],
)
def test_a_negation_is_put_in_or_taken_out(sentence: str, changed: str) -> None:
    assert one(sentence, Kind.NEGATION).text == changed


def test_a_quotation_is_not_negated_inside() -> None:
    assert Kind.NEGATION not in kinds("She said “it is open” at noon.")


@pytest.mark.parametrize(
    "sentence",
    ["Berg said the road was closed.", "“The road is closed,” said Berg.", "Berg, the mayor, denied it."],
)
def test_the_speaker_is_replaced(sentence: str) -> None:
    made = one(sentence, Kind.SPEAKER)
    assert (made.old, made.new) == ("Berg", "Costa")


def test_the_same_seed_gives_the_same_and_another_seed_another() -> None:
    sentence = "It flew 728 drones and 18 missiles."
    assert tamper(sentence, NAMES, 1) == tamper(sentence, NAMES, 1)
    assert len({one(sentence, Kind.NUMBER, seed).text for seed in range(10)}) > 3


def test_names_are_found_in_sentences_with_their_sort() -> None:
    text = "On Monday President Anna Berg flew out. Later she spoke in Oslo, where Italian ships lay. She met Costa."
    found = {n.text: n.type for n in names_of([text])}
    assert found == {
        "Anna Berg": Type.OTHER,
        "Oslo": Type.PLACE,
        "Italian": Type.DEMONYM,
        "Costa": Type.OTHER,
    }


def test_real_articles_give_every_kind_and_each_changes_one_place(seeds_dir: Path) -> None:
    bodies = [read_article(f, seeds_dir).body for f in find_files(seeds_dir)]
    names = names_of(bodies)
    made = [t for b in bodies for line in b.splitlines() if line for t in tamper(line, names, 7)]
    assert {t.kind for t in made} == set(Kind)
    for t in made:
        assert t.text != t.original
        assert len(t.text) - len(t.original) == len(t.new) - len(t.old)
