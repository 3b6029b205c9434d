"""Formats: what is read from each, what is refused, and that hostile files cost little."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import docx
import pytest

from rag.formats import Document, FormatError, Found, Going, Limits, Refused, clean, decode, extract, scans

SENTENCE = "The minister spoke in Rome for an hour, and nobody in the hall expected what he then said."


def read(name: str, data: bytes, names: Mapping[str, str] | None = None, **limits: int) -> list[Found]:
    return list(extract(name, io.BytesIO(data), Limits(**limits), names))


def one(name: str, data: bytes) -> Document:
    (found,) = read(name, data)
    assert isinstance(found, Document), found
    return found


def reason(name: str, data: bytes, **limits: int) -> str:
    (found,) = read(name, data, **limits)
    assert isinstance(found, Refused), found
    return found.reason


def pdf_pages(contents: list[str], title: str = "Bridge closed for a year", turned: int = 0) -> bytes:
    """A PDF of pages with these drawing orders, written by hand; /F1 is Helvetica."""
    first = 5  # number of the first page's object
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(contents)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title ({title}) /Author (Ann Lee) /CreationDate (D:20240305100000Z) >>",
    ]
    for number, stream in enumerate(contents):
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate {turned} /Contents {first + 2 * number + 1} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    out, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    tail = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return out + head + table + tail.encode()


def at(left: float, top: float, lines: list[str], size: int = 12, turn: str = "1 0 0 1") -> str:
    """The order to draw lines of text below each other."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    return f"BT /F1 {size} Tf {turn} {left} {top} Tm {size + 2} TL {shown} ET"


def pdf(lines: list[str], title: str = "Bridge closed for a year") -> bytes:
    """A PDF of one page with a text layer."""
    return pdf_pages([at(72, 720, lines)], title)


PICTURE = "q 200 0 0 200 100 400 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x7f EI Q"  # a page that is a picture


def archive(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return made.getvalue()


PAGE = f"""<!doctype html><html><head><title>Bridge closed | Riverside Times</title>
<meta property="og:site_name" content="Riverside Times"><meta name="author" content="Ann Lee">
<meta property="article:published_time" content="2024-03-05T10:00:00Z">
<link rel="canonical" href="https://example.com/bridge"></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<article><h1>Bridge closed for a year</h1>{f"<p>{SENTENCE}</p>" * 4}<p>Second caf&eacute;.</p></article>
<footer>All rights reserved</footer><script>var x = "never shown";</script></body></html>"""


# --- encodings ---------------------------------------------------------------------------------------------------

RUSSIAN = (
    "Мост через реку закрыли на целый год, и никто в зале не ожидал того, что потом сказал министр. " * 3
)
JAPANESE = "橋は一年間閉鎖されました。大臣は火曜日にローマで一時間話しました。" * 4


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "utf-32"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        ("大桥今天关闭，部长星期二在罗马讲话一个小时。" * 6, "gb18030"),
        ("“Très bien”, said the minister – and left the café.\r\n" * 3, "cp1252"),
        ("Le pont est fermé pendant une année entière, a déclaré le ministre à Rome. " * 3, "latin-1"),
    ],
)
def test_texts_in_known_encodings_are_decoded_letter_by_letter(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        ("caf\u00e9 \u201cquoted\u201d text and more of it " * 10).encode() + b"\xe2\x80",
        b"\xff\xfea\x00\x00\xd8",
        b"\xf0\xf1\xf2",
    ],
)
def test_what_is_no_text_or_damaged_is_refused_rather_than_guessed(data: bytes) -> None:
    with pytest.raises(FormatError):
        decode(data)


def test_extracted_text_has_no_controls_and_one_blank_line_at_most() -> None:
    assert clean("a\x00b\r\n\r\n\r\n\r\nc \x07\n d") == "ab\n\nc\nd"


# --- what each format gives --------------------------------------------------------------------------------------


def test_a_saved_page_gives_its_article_and_what_its_head_says() -> None:
    found = one("a.html", PAGE.encode())
    assert found.title.startswith("Bridge closed") and found.author == "Ann Lee"
    assert (found.publisher, found.published) == ("Riverside Times", "2024-03-05")
    assert found.url == "https://example.com/bridge"
    assert SENTENCE in found.text and "café" in found.text
    assert not any(word in found.text for word in ("Sport", "rights", "never shown"))


def test_a_page_declares_its_encoding() -> None:
    page = f'<html><head><meta charset="windows-1251"></head><body><article><p>{RUSSIAN}</p></article></body></html>'
    assert "никто в зале не ожидал" in one("a.htm", page.encode("cp1251")).text


def test_a_pdf_gives_its_text_layer_with_lines_joined() -> None:
    lines = [
        "The minister spoke in Rome for an hour, and nobody in the hall knew that",
        "the old bridge would stay closed.",
    ]
    found = one("a.pdf", pdf(lines))
    assert "knew that the old bridge" in found.text
    assert (found.title, found.author) == ("Bridge closed for a year", "Ann Lee")
    assert one("a.pdf", pdf(lines, title="Microsoft Word - draft.doc")).title == ""


def test_the_day_a_pdf_was_made_is_not_the_day_its_article_was_published() -> None:
    assert one("a.pdf", pdf([SENTENCE])).published == ""


LEFT = [
    "The council voted on Tuesday to close the",
    "old bridge for nine months. The repair will",
    "cost 4.2 million euros, the council said.",
]
RIGHT = [
    "The ferry company announced a route to the",
    "island of Sorrel. Its first boat will carry",
    "240 passengers, and a ticket costs 18 euros.",
]


@pytest.mark.parametrize("by_row", [True, False])
@pytest.mark.parametrize("headed", [True, False])
def test_columns_of_a_page_are_read_one_after_the_other(by_row: bool, headed: bool) -> None:
    if by_row:
        drawn = [at(x, 600 - 14 * n, [side[n]]) for n in range(3) for x, side in ((50, LEFT), (320, RIGHT))]
    else:
        drawn = [at(50, 600, LEFT), at(320, 593, RIGHT)]  # lines of the two do not stand side by side
    heading = [at(50, 640, ["News of the town, of the river and of the islands in the north of the bay"], 16)]
    text = one("a.pdf", pdf_pages([" ".join((heading if headed else []) + drawn)])).text
    assert text.endswith(f"{' '.join(LEFT)}\n\n{' '.join(RIGHT)}")
    assert text.startswith("News of the town" if headed else "The council")


def test_a_table_in_a_pdf_is_read_row_by_row() -> None:
    rows = [("Candidate", "Votes"), ("Ilse Horn", "12,410"), ("Karl Denn", "9,877"), ("Mara Voss", "3,204")]
    drawn = [at(x, 600 - 20 * n, [row[k]]) for n, row in enumerate(rows) for k, x in ((0, 50), (1, 320))]
    assert "Ilse Horn\t12,410" in one("a.pdf", pdf_pages([" ".join(drawn)])).text


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_pages_that_lie_on_their_side_are_read(turned: int) -> None:
    found = one("a.pdf", pdf_pages([at(72, 500, LEFT)], turned=turned))
    assert found.text == " ".join(LEFT)


@pytest.mark.parametrize(("turn", "left"), [("0 1 -1 0", 200), ("0 -1 1 0", 200), ("-1 0 0 -1", 500)])
def test_text_that_runs_up_or_down_a_page_is_read(turn: str, left: int) -> None:
    assert one("a.pdf", pdf_pages([at(left, 400, LEFT, turn=turn)])).text == " ".join(LEFT)


def test_heads_and_feet_of_pages_are_left_out_and_a_sentence_goes_on_behind_them() -> None:
    parts = [LEFT[:2], [*LEFT[2:], "Buses go over the Weir Road, and cyclists"], ["have to walk."]]
    pages = [
        " ".join(
            [
                at(50, 760, ["The Courier - Saturday edition"]),
                at(50, 700, part),
                at(280, 30, [f"Page {n} of 3"]),
            ]
        )
        for n, part in enumerate(parts, 1)
    ]
    text = one("a.pdf", pdf_pages(pages)).text
    assert " ".join(LEFT) in text
    assert "and cyclists have to walk." in text
    assert "Courier" not in text and "Page" not in text


def test_a_line_that_stands_once_at_the_top_of_a_page_stays() -> None:
    pages = [" ".join([at(50, 760, [head]), at(50, 700, LEFT)]) for head in ("The bridge", "The ferry")]
    assert "The ferry" in one("a.pdf", pdf_pages(pages)).text


def test_a_word_that_was_cut_at_the_end_of_a_line_is_whole() -> None:
    assert (
        "the representatives of"
        in one("a.pdf", pdf(["The mayor met the repre-", "sentatives of the town."])).text
    )


def test_scanned_pages_are_named_where_no_text_can_be_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.formats.scans._languages", lambda: "")
    found = read("a.pdf", pdf_pages([at(72, 720, LEFT), PICTURE, PICTURE, "", PICTURE]))
    assert isinstance(found[0], Document) and found[0].text == " ".join(LEFT)
    assert isinstance(found[1], Refused) and found[1].reason.startswith("pages 2-3, 5: ")
    assert "install tesseract" in found[1].reason
    assert "install tesseract" in reason("scan.pdf", pdf_pages([PICTURE]))


def test_scanned_pages_are_recognised_by_the_tesseract_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(
        "#!/bin/sh\n[ $1 = --list-langs ] && printf 'List of languages:\\neng\\nosd\\n' && exit\n"
        "[ $(head -c 2) = P5 ] && [ $4 = eng ] && printf 'The bridge was\\nclosed on\\nTuesday.\\n\\nThe ferry sails.\\n\\f'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    scans._languages.cache_clear()
    try:
        found = read("a.pdf", pdf_pages([at(72, 720, LEFT), PICTURE]))
        program.write_text("#!/bin/sh\nexit 1\n")
        assert "tesseract failed" in read("a.pdf", pdf_pages([at(72, 720, LEFT), PICTURE]))[-1].reason  # type: ignore[union-attr]
    finally:
        scans._languages.cache_clear()
    assert found[0] == Going()  # which tells who waits that the reader is at work
    assert isinstance(found[1], Document)
    assert found[1].text == " ".join(LEFT) + "\n\nThe bridge was closed on Tuesday.\n\nThe ferry sails."


def test_a_pdf_without_text_or_damaged_says_what_to_do() -> None:
    assert "holds no text" in reason("empty.pdf", pdf([]))
    assert "not readable as PDF" in reason("cut.pdf", pdf(["x"])[:200])


def test_a_word_file_gives_paragraphs_and_tables_in_order() -> None:
    document = docx.Document()
    document.add_paragraph("First.")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "left", "right"
    document.add_paragraph("Last.")
    document.core_properties.author, document.core_properties.title = "Ann Lee", "Bridge closed"
    made = io.BytesIO()
    document.save(made)
    found = one("a.docx", made.getvalue())
    assert found.text == "First.\n\nleft\tright\n\nLast."
    assert (found.title, found.author) == ("Bridge closed", "Ann Lee")


def test_a_book_gives_a_document_a_chapter() -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Book</dc:title><dc:creator>Ann Lee</dc:creator><dc:date>2024-03-05</dc:date></metadata>"
        '<manifest><item id="a" href="one.xhtml"/><item id="b" href="cover.xhtml"/><item id="c" href="gone.xhtml"/>'
        '</manifest><spine><itemref idref="b"/><itemref idref="a"/><itemref idref="c"/></spine></package>'
    )
    chapter = f"<?xml version='1.0'?><html><head><title>x</title></head><body><h1>Chapter one</h1><p>{SENTENCE * 4}</p></body></html>"
    container = '<container><rootfiles><rootfile full-path="in/book.opf"/></rootfiles></container>'
    found, gone = read(
        "a.epub",
        archive(
            {
                "META-INF/container.xml": container.encode(),
                "in/book.opf": package.encode(),
                "in/one.xhtml": chapter.encode(),
                "in/cover.xhtml": b"<html><body>Cover</body></html>",
            }
        ),
    )
    assert gone == Refused("gone.xhtml", "lacks gone.xhtml; save it again")
    assert isinstance(found, Document)
    assert (found.key, found.title, found.author, found.published) == (
        "one.xhtml",
        "Chapter one",
        "Ann Lee",
        "2024-03-05",
    )
    assert found.text.startswith("Chapter one\n\nThe minister")


def test_rows_of_json_lines_keep_their_ids_and_a_bad_line_is_named() -> None:
    rows = [
        '{"id": "x1", "headline": "Bridge", "body": "<p>One &amp; two.</p><p>Three</p>", "source": {"name": "Wire"},'
        ' "published_at": "2024-03-05T10:00:00Z"}',
        "not json",
        '{"id": 2, "text": ""}',
        '{"text": NaN}',
        "[" * 5000,
        '["no object"]',
        '{"text": "Good."}',
    ]
    found = read("a.jsonl", "\n".join(rows).encode())
    assert found[0] == Document("x1", "One & two.\n\nThree", "Bridge", "", "Wire", "2024-03-05")
    assert found[-1] == Document("7", "Good.")
    reasons = [f.reason for f in found[1:-1] if isinstance(f, Refused)]
    assert len(reasons) == 5
    for number, words in enumerate(("not readable", "has no text", "holds NaN", "nested", "no object"), 2):
        assert reasons[number - 2].startswith(f"line {number}: ") and words in reasons[number - 2]


def test_a_json_file_may_be_a_list_an_object_or_an_object_that_holds_a_list() -> None:
    row = {"title": "Bridge", "text": SENTENCE}
    assert one("a.json", json.dumps(row).encode()) == Document("", SENTENCE, "Bridge")
    assert one("a.json", json.dumps([row]).encode()).key == "1"
    assert one("a.json", json.dumps({"articles": [row], "total": 1}).encode()).title == "Bridge"


def test_the_user_may_name_the_fields() -> None:
    data = json.dumps([{"Inhalt": SENTENCE, "meta": {"wann": "2024-03-05"}}]).encode()
    assert "citewire.toml" in reason("a.json", data)
    (found,) = read("a.json", data, {"text": "inhalt", "published": "meta.wann"})
    assert isinstance(found, Document) and (found.text, found.published) == (SENTENCE, "2024-03-05")


def test_a_table_is_read_whatever_parts_its_columns() -> None:
    data = 'title;text;date\nBridge;"Line one\nline two";2024-03-05\nx;y\n=1+1;"=SUM(A1)";2024\n'
    first, second, third = read("a.csv", data.encode())
    assert first == Document("1", "Line one\nline two", "Bridge", published="2024-03-05")
    assert isinstance(second, Refused) and "2 cells, the header 3" in second.reason
    assert isinstance(third, Document) and third.text == "=SUM(A1)"
    assert one("a.tsv", b"title\ttext\nBridge\tGood, bad.\n").text == "Good, bad."


def test_a_feed_gives_its_entries_as_plain_text() -> None:
    feed = (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><item><title>Bridge &amp; road</title>'
        "<link>https://e.example/1</link><guid>g1</guid><pubDate>Tue, 05 Mar 2024 10:00:00 GMT</pubDate>"
        "<description>&lt;p&gt;The &lt;b&gt;bridge&lt;/b&gt; fell.&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;</description></item></channel></rss>"
    )
    found = one("a.xml", feed.encode())
    assert found == Document(
        "g1", "The bridge fell.", "Bridge & road", "", "Wire", "2024-03-05", "", "https://e.example/1"
    )
    assert "no RSS or Atom" in reason("a.xml", b"<?xml version='1.0'?><x>y</x>")


def test_an_archive_gives_what_its_files_give() -> None:
    inner = archive({"deep.txt": b"Deep inside."})
    found = read(
        "a.zip",
        archive(
            {
                "news/a.txt": b"The bridge fell.",
                "rows.jsonl": b'{"id": 5, "text": "Row."}',
                "b.zip": inner,
                "c.png": b"x",
            }
        ),
    )
    assert [(f.key, f.text) for f in found if isinstance(f, Document)] == [
        ("b.zip#deep.txt", "Deep inside."),
        ("news/a.txt", "The bridge fell."),
        ("rows.jsonl#5", "Row."),
    ]


# --- hostile files -----------------------------------------------------------------------------------------------


def test_members_that_lead_out_or_unpack_to_too_much_are_named_and_the_rest_is_read() -> None:
    data = archive(
        {
            "../out.txt": b"x",
            "/abs.txt": b"x",
            "C:/x.txt": b"x",
            "good.txt": b"Good.",
            "bomb.txt": b"a" * 30_000_000,
        }
    )
    found = read("a.zip", data)
    assert [f.key for f in found if isinstance(f, Document)] == ["good.txt"]
    reasons = {f.key: f.reason for f in found if isinstance(f, Refused)}
    assert all("leads out" in reasons[key] for key in ("../out.txt", "/abs.txt", "C:/x.txt"))
    assert "bomb" in reasons["bomb.txt"]


def test_links_and_archives_in_archives_in_archives_are_refused() -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(link, "/etc/passwd")
    assert "is a link" in reason("a.zip", made.getvalue())
    nested = archive({"a.zip": archive({"b.zip": archive({"c.txt": b"x"})})})
    assert "nested" in reason("a.zip", nested)


def test_bounds_are_kept_while_reading() -> None:
    assert "holds 3 files" in reason("a.zip", archive({f"{n}.txt": b"x" for n in range(3)}), members=2)
    assert "unpacks to more" in reason("a.zip", archive({"a.txt": b"x" * 100}), unpacked=50)
    assert "larger than" in reason("a.json", b'[{"text": "' + b"x" * 2_000_000 + b'"}]', file=1_000_000)
    long, good = read("a.jsonl", b'{"text": "' + b"x" * 50_000 + b'"}\n{"text": "Good."}', line=10_000)
    assert isinstance(long, Refused) and "line 1: longer" in long.reason
    assert isinstance(good, Document) and good.text == "Good."
    assert "longer than" in reason("a.jsonl", json.dumps({"text": "x" * 5000}).encode(), text=1000)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.html", b"<div>" * 100_000, "nested"),
        ("a.xml", b"<a>" * 100_000, "nested"),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><rss version="2.0"><channel/></rss>', "entities"),
        ("a.docx", b"PK not really", "not readable as DOCX"),
        ("a.epub", archive({"x": b"y"}), "lacks META-INF"),
        ("a.zip", b"PK\x03\x04 cut", "not readable as ZIP"),
        ("a.json", b"\x00\x01\x02", "NUL"),
        ("a.json", b'{"total": 1}', "has no text"),
        ("a.csv", b"", "no header"),
        ("a.html", b"", "no text"),
        ("a.zip", archive({"a.png": b"x"}), "1 file ending in .png: this format is not read"),
        ("a.zip", archive({}), "holds no article"),
    ],
)
def test_broken_files_are_refused_with_a_reason(name: str, data: bytes, words: str) -> None:
    assert words in reason(name, data)


def test_a_thousand_accents_and_tricks_of_direction_stay_text() -> None:
    text = "a" + "\u0301" * 10_000 + " \u202eevil\u202c \ufeff done"
    assert one("a.json", json.dumps({"text": text}).encode()).text.endswith("done")
