"""Articles: what is found, decoded and refused, what a text says of itself, and what sidecars add."""

import hashlib
import os
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ArticleError, CorpusError
from rag.ingest.articles import MAX_BYTES, find_files, read_article
from rag.ingest.descriptions import content_span, describe, parse_date
from rag.ingest.formats.wrapping import unwrap
from rag.ingest.sidecars import load_sidecars
from rag.schema import Field, Origin, PartialDate, Published, Span
from rag.text.sentences import sentences
from rag.text.words import plain

BODY = "The minister spoke in Rome for an hour, and nobody in the hall expected what he then said.\n" * 3


def said(body: str) -> dict[str, str]:
    """The described fields; every value must stand at its span."""
    found = {}
    about = describe(body)
    for name in ("title", "publisher", "place", "url"):
        value: Field | None = getattr(about, name)
        if value is not None:
            assert value.span is not None and value.origin is Origin.STATED
            assert body[value.span.start : value.span.end] == value.value
            found[name] = value.value
    if about.published is not None:
        assert about.published.span is not None
        assert parse_date(body[about.published.span.start : about.published.span.end]) == about.published.date
        found["published"] = str(about.published.date)
    return found


def write(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


# --- the articles that come with the project ---------------------------------------------------------------------


def test_of_the_seeds_only_what_they_state_is_taken(seeds_dir: Path) -> None:
    found = {path.name[:3]: said(read_article(path, seeds_dir).body) for path in find_files(seeds_dir)}
    assert found == {
        "000": {},
        "001": {
            "title": "Lavrov-Rubio in Kuala Lumpur: diplomacy catches its breath, but the hawks are against it",
            "publisher": "vietatoparlare",
        },
        "002": {"place": "KUALA LUMPUR", "published": "July 10"},
        "003": {"place": "Kuala Lumpur, Malaysia", "publisher": "RastriyaSamachar24x7"},
        "004": {
            "title": "Rubio to meet Russia’s Lavrov in Malaysia as Trump turns up pressure on Putin",
            "published": "2025-07-10",
        },
    }


# --- what a text says of itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("Bridge closed for a year\n\n", {"title": "Bridge closed for a year"}),
        ("Bridge closed: why?\n\n", {"title": "Bridge closed: why?"}),
        ("Bridge closed for a year\n", {"title": "Bridge closed for a year"}),
        ("# **Bridge** closed\n", {"title": "**Bridge** closed"}),
        ("# **Bridge closed** \n\n", {"title": "Bridge closed"}),
        ("Bridge closed\n=======\n", {"title": "Bridge closed"}),
        ("大桥今天关闭\n\n", {"title": "大桥今天关闭"}),
        ("date 2024-03-05 Bridge closed\n\n", {"title": "Bridge closed", "published": "2024-03-05"}),
        (
            "Published: 5 March 2024\n\nBridge closed\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
        (
            "Bridge closed\nBy Ann Lee\nMarch 5, 2024, 10:30 a.m.\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
        ("Bridge closed\nPosted on March 5, 2024\n\n", {"title": "Bridge closed", "published": "2024-03-05"}),
        ("URL: https://example.com/a?b=1\n\n", {"url": "https://example.com/a?b=1"}),
        (
            "Bridge closed\nPublished: 2024-03-05T23:30:00+02:00\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
        (
            "Bridge closed\nUpdated: 5 March 2024, 18:05 CEST\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
        (
            "Bridge closed\nLast updated: 7 March 2024\nPublished: 5 March 2024, 8:15 am\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
        (
            "Bridge closed\nBy Ann Lee | March 5, 2024 | 3 min read\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
        (
            "Bridge closed\n5 March 2024 · Ann Lee\n\n",
            {"title": "Bridge closed", "published": "2024-03-05"},
        ),
    ],
)
def test_the_head_of_a_text_gives_title_date_and_address(head: str, expected: dict[str, str]) -> None:
    assert said(head + BODY) == expected


@pytest.mark.parametrize(
    "head",
    [
        "The bridge is closed.\n\n",  # a sentence
        "The minister spoke in Rome on Monday and said that the bridge\nwould stay closed for a year.\n\n",  # wrapped
        "By Ann Lee\n\n",
        "Photo: Ann Lee\n\n",
        "- first point of a list\n\n",
        "Advertisement\n\n",
        "March 5, 2024\n\n",  # a date, but of what?
        "Published March 5, the report on bridges says that they are old.\n",
        "2024-03-05 was a bad day for bridges.\n",
        "Updated: March 5, 2024\n",
    ],
)
def test_what_is_no_heading_or_date_of_publication_is_not_taken_for_one(head: str) -> None:
    assert said(head + BODY) == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("LONDON, March 5 (Reuters) - ", {"place": "LONDON", "published": "March 5", "publisher": "Reuters"}),
        ("LONDON (AP) — ", {"place": "LONDON", "publisher": "AP"}),
        ("WASHINGTON, D.C., March 5, 2024 – ", {"place": "WASHINGTON, D.C.", "published": "2024-03-05"}),
        ("Rome, Italy – ", {"place": "Rome, Italy"}),
        ("5 March 2024 – ", {"published": "2024-03-05"}),
        ("March 5, 2024: ", {"published": "2024-03-05"}),
        ("March 5 – ", {}),
        ("ROME – ", {"place": "ROME"}),  # and the text speaks of being in Rome
        ("BREAKING – ", {}),
        ("NATO — ", {}),
        ("Monday, March 5 – ", {}),
        ("Rome – ", {}),
        ("Ann Lee, Bob Cho – ", {}),
    ],
)
def test_a_dateline_gives_place_date_and_agency(line: str, expected: dict[str, str]) -> None:
    assert said(line + BODY) == expected
    assert (
        said("Bridge closed for a year\n\n" + line + BODY) == {"title": "Bridge closed for a year"} | expected
    )


@pytest.mark.parametrize(
    ("foot", "publisher"),
    [
        ("Discover more from Bridge Weekly Blog", "Bridge Weekly Blog"),
        ("Discover more from bridges.example\nSubscribe to get the latest posts.", "bridges.example"),
        ("This article was originally published by The Daily Bridge.", "The Daily Bridge"),
        ("The post Bridge closed first appeared on Bridgeworld.", "Bridgeworld"),
        ("© 2024 Bridge Media Ltd. All rights reserved.", "Bridge Media Ltd"),
        ("Publisher: Bridgeworld", "Bridgeworld"),
        ("The Riverside Times", "The Riverside Times"),
        ("riverside-news.example.com", "riverside-news.example.com"),
        ("fiumesegreto", "fiumesegreto"),
    ],
)
def test_the_last_lines_give_the_publisher(foot: str, publisher: str) -> None:
    assert said(BODY + foot + "\n")["publisher"] == publisher


@pytest.mark.parametrize(
    "foot",
    [
        "Ann Lee",  # an author
        "minister",  # a word of the text
        "Politics",
        "Subscribe",
        "Read more about bridges",
        "The bridge stays closed, Bridge.News reports, citing Reuters.",  # a source
        "As reported by Bridge News.",
        "First published in March 2024",
        "© Ann Lee",
        "Source: Reuters",
    ],
)
def test_authors_sources_and_buttons_are_no_publisher(foot: str) -> None:
    assert said(BODY + foot + "\n") == {}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-05T23:30:00+02:00", "2024-03-05"),
        ("Tue, 05 Mar 2024 00:30:00 +0200", "2024-03-05"),
        ("March 5th, 2024 at 8:15 am", "2024-03-05"),
        ("5 March 2024, 18:05 CEST", "2024-03-05"),
        ("1709632800", "2024-03-05"),
        ("1709632800000", "2024-03-05"),
        ("20240305", "2024-03-05"),
        ("2024/3/5", "2024-03-05"),
        ("25/03/2024", "2024-03-25"),
        ("5. März 2024", "2024-03-05"),
        ("5 mars 2024", "2024-03-05"),
        ("5 марта 2024 г.", "2024-03-05"),
        ("2024年3月5日", "2024-03-05"),
        ("March 2024", "March 2024"),
        ("05/03/2024", None),  # March or May
        ("05.03.2024", None),
        ("Tuesday, 05/03/2024", "2024-03-05"),  # May 3 was a Friday
        ("Fri 05/03/2024 10:15", "2024-05-03"),
        ("Sunday, 05/03/2024", None),
        ("2024-W10-2", "2024-03-05"),
        ("Published on March 5, 2024 at 8:15 am", "2024-03-05"),
        ("5 March 2024 (updated 7 March 2024)", "2024-03-05"),
        ("yesterday", None),
        ("2 hours ago", None),
        ("10 of 12", None),
        ("2024-13-45", None),
        ("9" * 60, None),
    ],
)
def test_dates_are_read_as_people_and_programs_write_them_but_not_guessed(text: str, day: str | None) -> None:
    known = parse_date(text)
    assert (str(known) if known else None) == day


@pytest.mark.parametrize("mark", ["---", "+++"])
def test_front_matter_may_be_yaml_or_toml(mark: str) -> None:
    pair = ": " if mark == "---" else " = "
    body = f'{mark}\ntitle{pair}"Bridge closed"\ndate{pair}2024-03-05\ntags{pair}["a", "b"]\n{mark}\n'
    assert said(body + BODY) == {"title": "Bridge closed", "published": "2024-03-05"}
    assert content_span(body + BODY).start == len(body)


# --- wrapped lines -----------------------------------------------------------------------------------------------

PROSE = (
    "The council of Larkholm voted on Tuesday evening to close the Old Mill Bridge for nine months. The repair will cost"
    " 4.2 million euros, of which the region pays one third. It is the second closure since the bridge was built in 1931."
    " Mr. Denn of the Union spoke against it, and so did the owners of shops in the well-known market street nearby."
)


@pytest.mark.parametrize("width", [60, 70, 72, 80, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_that_was_wrapped_has_whole_sentences_and_every_letter_at_its_place(
    width: int, end: str
) -> None:
    paragraph = end.join(textwrap.wrap(PROSE, width))
    wrapped = f"Bridge closed{end}{end}{paragraph}{end}{end}{paragraph}"
    body = unwrap(wrapped)
    assert len(body) == len(wrapped)
    assert [plain(body[s.start : s.end]) for s in sentences(body)] == ["Bridge closed"] + [
        plain(PROSE[s.start : s.end]) for s in sentences(PROSE)
    ] * 2
    kept = [place for place, letter in enumerate(wrapped) if letter not in "\r\n -"]
    far = [place for place in kept if body[place] != wrapped[place]]
    assert len(far) <= 2 * len("known")  # of the word that was cut at its hyphen


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "A heading of some length without a stop\nThe minister spoke in Rome.\nNobody knew.",
        "- bread and butter\n- milk from the farm\n- apples",
        "1. first of all the bridge\n2. then the ferry",
        "A paragraph of more than a hundred and sixty characters, as it is saved by a program which puts no break into it"
        " and lets the window do that instead, whatever its width\nand a line below it.",
        "Roses are red\nviolets are blue",
    ],
)
def test_lines_that_stand_alone_stay_alone(text: str) -> None:
    assert unwrap(text) == text


def test_a_heading_right_above_wrapped_text_is_not_drawn_into_it() -> None:
    text = "Bridge over the river closed for nine months\n" + "\n".join(textwrap.wrap(PROSE, 70))
    assert unwrap(text).startswith("Bridge over the river closed for nine months\nThe council of")


@given(st.text(alphabet=st.sampled_from("Aa1 ,.-\n\r\t"), max_size=200))
def test_unwrapping_keeps_the_length_of_every_text(text: str) -> None:
    assert len(unwrap(text)) == len(text)


def test_front_matter_is_read_and_is_not_content() -> None:
    body = (
        '---\ntitle: "Bridge: closed"\ndate: 2024-03-05T10:00:00Z\nauthor: Ann\nsource: wire\npublisher: Riverside\n'
        "tags:\n  - a\nlocation: Rome\nurl: https://example.com/x\n---\n"
    )
    assert said(body + BODY) == {
        "title": "Bridge: closed",
        "published": "2024-03-05",
        "publisher": "Riverside",
        "place": "Rome",
        "url": "https://example.com/x",
    }
    assert content_span(body + BODY) == Span(len(body), len(body + BODY))
    assert said(body.replace("\n", "\r\n") + BODY)["title"] == "Bridge: closed"
    prose = "---\nA rule above prose.\n---\n" + BODY
    assert content_span(prose) == Span(0, len(prose))
    assert "url" not in said("---\nurl: javascript:alert(1)\ntitle: x y\n---\n" + BODY)


@given(st.text(alphabet=st.sampled_from("Aa1 ,.:-–—()#\n\r\"'©"), max_size=200))
def test_no_text_breaks_the_description(body: str) -> None:
    said(body)


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("By Ann Lee", "Ann Lee"),
        ("By Ann Lee and Bob de Vries | March 5, 2024", "Ann Lee and Bob de Vries"),
        ("Written by Ann Lee, Riverside Times", "Ann Lee"),
        ("By Monday 5 March", ""),
        ("By the river", ""),
        ("By Ann Lee told reporters that the bridge is closed.", ""),
    ],
)
def test_the_line_under_a_title_tells_who_wrote_it(line: str, author: str) -> None:
    body = f"Bridge closed\n{line}\n\n{BODY}"
    found = describe(body).author
    assert (found.value if found else "") == author
    assert found is None or (found.span and body[found.span.start : found.span.end] == author)


# --- files -------------------------------------------------------------------------------------------------------


def test_article_files_are_found_in_order_and_nothing_else(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside.txt", "secret")
    folder = tmp_path / "news"
    for name in (
        "b.txt",
        "a.md",
        "sub/c.TXT",
        "sub/README.md",
        "README.md",
        ".hidden.txt",
        ".git/x.txt",
        "a.toml",
    ):
        write(folder, name, BODY)
    (folder / "leaves.txt").symlink_to(outside)
    (folder / "stays.txt").symlink_to("b.txt")
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "away").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.txt")
    found = [path.relative_to(folder).as_posix() for path in find_files(folder, (".md", ".txt"))]
    assert found == ["a.md", "b.txt", "loop.txt", "stays.txt", "sub/README.md", "sub/c.TXT"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="seeds: no such folder; .*rag index"):
        find_files(tmp_path / "seeds")
    with pytest.raises(CorpusError, match="not a folder"):
        find_files(write(tmp_path, "file", ""))


def test_an_article_keeps_its_text_and_knows_its_place_and_bytes(tmp_path: Path) -> None:
    data = " Title here\r\n\r\nA\u0301 line.\t \r\n\r\n".encode()
    article = read_article(write(tmp_path, "sub/a.txt", data), tmp_path)
    assert article.id == article.path == "sub/a.txt"
    assert article.body == data.decode()
    assert article.version == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_known_encodings_are_decoded_and_only_the_byte_order_mark_goes(tmp_path: Path, encoding: str) -> None:
    text = "“Très bien”, said the minister – and left the café.\r\n" * 3
    assert read_article(write(tmp_path, "a.txt", text.encode(encoding)), tmp_path).body == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t\xe2\x80\x8b", "only blank space"),
        (b"text\x00text", "NUL"),
        ("text".encode("utf-16-le"), "NUL"),
        (b"\xff\xfea\x00\x00\xd8", "damaged UTF-16"),
        ("caf\u00e9 and more".encode() + b"\xe2\x80", "not text in UTF-8"),  # cut in the middle
        (
            b"a long enough line of text \xc0\xaf\xed\xa0\x80 with more",
            "not text in UTF-8",
        ),  # overlong, surrogate
        ("Мост закрыт на год".encode("cp1251"), "not text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "not text in UTF-8"),
        (b"a" * (MAX_BYTES + 1), "larger than 20 MB"),
        (b"<!DOCTYPE html><p>Closed.", "ends in .html"),
        (b"{\\rtf1\\ansi Closed.}", "ends in .rtf"),
    ],
)
def test_what_is_no_text_is_refused_by_name_and_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ArticleError, match=f"bad.txt.*{reason}"):
        read_article(write(tmp_path, "bad.txt", data), tmp_path)


def test_a_file_that_vanished_or_is_forbidden_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="gone.txt: cannot be read"):
        read_article(tmp_path / "gone.txt", tmp_path)
    (tmp_path / "dir.txt").mkdir()
    with pytest.raises(ArticleError, match="dir.txt: cannot be read"):
        read_article(tmp_path / "dir.txt", tmp_path)
    closed = write(tmp_path, "closed.txt", BODY)
    closed.chmod(0)
    if not os.access(closed, os.R_OK):  # the administrator may read anything
        with pytest.raises(ArticleError, match="closed.txt: cannot be read"):
            read_article(closed, tmp_path)


def test_a_name_that_is_not_text_is_refused_and_shown_safely(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"bad\xff\x1b.txt")
    path.write_text(BODY)
    with pytest.raises(ArticleError, match=r"bad\\udcff\.txt: its name is not UTF-8"):
        read_article(path, tmp_path)


# --- sidecars ----------------------------------------------------------------------------------------------------


def test_a_sidecar_fills_only_what_the_text_does_not_state(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Bridge closed for a year\n\n" + BODY)
    write(tmp_path, "a.toml", 'title = "Other"\npublished = 2024-03-05\nplace = "Rome"\n')
    write(tmp_path, "articles.toml", '["a.txt"]\npublisher = "Riverside"\nurl = "https://example.com/"\n')
    article = read_article(path, tmp_path, load_sidecars(tmp_path))
    assert article.title == Field("Bridge closed for a year", Origin.STATED, Span(0, 24))
    assert article.published == Published(PartialDate(2024, 3, 5), Origin.SUPPLIED)
    assert article.place == Field("Rome", Origin.SUPPLIED)
    assert article.publisher == Field("Riverside", Origin.SUPPLIED)
    assert article.url == Field("https://example.com/", Origin.SUPPLIED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title =", "not readable as TOML"),
        ('titel = "x"', "unknown key 'titel'"),
        ("title = 3", "title must be a text"),
        ('title = " "', "title must be a text"),
        ('published = "10/07/2025"', "published = '10/07/2025' is not a date"),
        ('published = "soon"', "is not a date"),
        ('url = "javascript:alert(1)"', "url must begin with http"),
        ("title = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    ],
)
def test_a_malformed_sidecar_is_named_with_key_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = write(tmp_path, "a.txt", BODY)
    write(tmp_path, "a.toml", text)
    with pytest.raises(ArticleError, match=f"a.toml: .*{reason}"):
        read_article(path, tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('["b.txt"]\ntitle = "x"', r"articles.toml \[b.txt\]: no such file"),
        ('[a.txt]\ntitle = "x"', "needs quotes"),
        ('["../out.txt"]\ntitle = "x"', "no such file"),
        ('title = "x"', r"\[title\]: must be a table"),
        ('["a.txt"]\ndate = "x"', r"\[a.txt\]: unknown key 'date'"),
    ],
)
def test_a_table_must_name_an_article_that_is_there(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, "out.txt", BODY)
    folder = tmp_path / "news"
    write(folder, "a.txt", BODY)
    write(folder, "articles.toml", text)
    with pytest.raises(ArticleError, match=reason):
        load_sidecars(folder)


def test_two_sidecars_must_not_contradict(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", BODY)
    write(tmp_path, "a.toml", 'title = "One thing"')
    write(tmp_path, "articles.toml", '["a.txt"]\ntitle = "Another"')
    with pytest.raises(ArticleError, match=r"a.toml: title differs from articles.toml"):
        read_article(path, tmp_path, load_sidecars(tmp_path))


def test_a_date_behind_the_name_of_who_wrote_it_is_the_date_of_publication() -> None:
    body = "Otters take the cup\nBy Simon Achebe, 2 June 2023\n\nThe Otters won the Valley Cup on Friday night, they said.\n"
    found = describe(body)
    assert found.published is not None
    assert str(found.published.date) == "2023-06-02"
    assert found.author is not None and found.author.value == "Simon Achebe"
