"""Formats: what is read from each, what is refused, and that hostile files cost little."""

from __future__ import annotations

import io
import json
import os
import random
import textwrap
import zipfile
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest

from rag.ingest.formats import (
    READERS,
    Document,
    FormatError,
    Found,
    Limits,
    Refused,
    Working,
    clean,
    decode,
    extract,
    scans,
)

SENTENCE = "The minister spoke in Rome for an hour, and nobody in the hall expected what he then said."


def read(name: str, data: bytes, names: Mapping[str, str] | None = None, **limits: int) -> list[Found]:
    return list(extract(name, io.BytesIO(data), Limits(**limits), names))


def one(name: str, data: bytes) -> Document:
    (found,) = read(name, data)
    assert isinstance(found, Document), found
    return found


def reason(name: str, data: bytes, **limits: int) -> str:
    (found,) = read(name, data, None, **limits)
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


def test_three_narrow_columns_and_a_photo_line_across_two_of_them_are_read_in_order() -> None:
    third = ["The dam of Veldon broke on", "Saturday after heavy rain in", "the hills above the town."]
    columns = [[line[:28] for line in LEFT], [line[:28] for line in RIGHT], third]
    drawn = [at(40 + 190 * n, 600, column, 10) for n, column in enumerate(columns)]
    photo = at(40, 640, ["The old bridge in spring, with the ferry and the island of Sorrel behind it"], 10)
    text = one("a.pdf", pdf_pages([" ".join([*drawn, photo])])).text
    places = [text.index(line) for line in ("The old bridge in spring", *(c[0] for c in columns))]
    assert places == sorted(places) and " ".join(third) in text


def test_a_large_initial_belongs_to_the_word_that_it_begins() -> None:
    drawn = [
        at(50, 572, ["T"], 48),
        at(82, 600, ["he minister spoke in Rome", "for an hour on Monday", "and left."]),
    ]
    assert "The minister spoke in Rome" in one("a.pdf", pdf_pages([" ".join(drawn)])).text


def test_lines_of_a_point_hang_below_its_first() -> None:
    first = "- The council will pay one third of the repair, the region another, and"
    drawn = [
        at(50, 600, [first]),
        at(70, 586, ["Brussels the rest, as the mayor told reporters."]),
        at(50, 500, ["- It is sure."]),
    ]
    assert one("a.pdf", pdf_pages([" ".join(drawn)])).text.startswith(f"{first} Brussels the rest")


def test_a_table_in_a_pdf_is_read_row_by_row() -> None:
    rows = [("Candidate", "Votes"), ("Ilse Horn", "12,410"), ("Karl Denn", "9,877"), ("Mara Voss", "3,204")]
    drawn = [at(x, 600 - 20 * n, [row[k]]) for n, row in enumerate(rows) for k, x in ((0, 50), (1, 320))]
    assert "Ilse Horn\t12,410" in one("a.pdf", pdf_pages([" ".join(drawn)])).text


@pytest.mark.parametrize("turned", [90, 180, 270])
@pytest.mark.parametrize("top", [500, 780])
def test_pages_that_lie_on_their_side_are_read_though_their_size_does_not_fit(turned: int, top: int) -> None:
    data = pdf_pages([at(72, top, LEFT)], turned=turned)
    if top == 780:
        data = data.replace(b"[0 0 612 792]", b"[0 0 792 612]")
    assert one("a.pdf", data).text == " ".join(LEFT)


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


def test_a_sentence_goes_on_behind_a_footnote_at_the_end_of_a_page() -> None:
    note = at(50, 60, ["1 Figures of the port authority."], 8)
    pages = [
        f"{at(50, 700, [*LEFT, 'Buses go over the Weir Road, and all cyclists'])} {note}",
        at(50, 700, ["have to walk."]),
    ]
    text = one("a.pdf", pdf_pages(pages)).text
    assert "and all cyclists have to walk." in text
    assert text.endswith("\n\n1 Figures of the port authority.")


def test_a_line_that_stands_once_at_the_top_of_a_page_stays() -> None:
    pages = [" ".join([at(50, 760, [head]), at(50, 700, LEFT)]) for head in ("The bridge", "The ferry")]
    assert "The ferry" in one("a.pdf", pdf_pages(pages)).text


def test_a_word_that_was_cut_at_the_end_of_a_line_is_whole() -> None:
    assert (
        "the representatives of"
        in one("a.pdf", pdf(["The mayor met the repre-", "sentatives of the town."])).text
    )


def test_notes_to_the_printer_beside_the_page_are_not_read() -> None:
    data = pdf_pages([f"{at(72, 500, LEFT)} {at(72, 20, ['page.indd 3'])}"])
    cropped = data.replace(b"/MediaBox [0 0 612 792]", b"/MediaBox [0 0 612 792] /CropBox [50 50 600 700]")
    assert "indd" in one("a.pdf", data).text
    assert one("a.pdf", cropped).text == " ".join(LEFT)


def test_scanned_pages_are_named_where_no_text_can_be_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ingest.formats.scans._languages", lambda: "")
    found = read("a.pdf", pdf_pages([at(72, 720, LEFT), PICTURE, PICTURE, "", PICTURE]))
    assert isinstance(found[0], Document) and found[0].text == " ".join(LEFT)
    assert isinstance(found[1], Refused) and found[1].reason.startswith("pages 2-3, 5: ")
    assert "install tesseract" in found[1].reason
    assert "install tesseract" in reason("scan.pdf", pdf_pages([PICTURE]))


def test_a_stamp_on_a_scanned_page_does_not_hide_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ingest.formats.scans._languages", lambda: "")
    large = PICTURE.replace("200 0 0 200 100 400", "600 0 0 780 5 5")
    found = read("a.pdf", pdf_pages([at(72, 720, LEFT), f"{large} {at(72, 20, ['Archive of the town'])}"]))
    assert isinstance(found[1], Refused) and found[1].reason.startswith("page 2: ")
    with_photo = pdf_pages([at(72, 720, LEFT), f"{PICTURE} {at(72, 200, RIGHT)}"])
    assert len(read("a.pdf", with_photo)) == 1


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
    assert found[0] == Working()  # which tells who waits that the reader is at work
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
        '<manifest><item id="a" href="one.xhtml"/><item id="b" href="the%20cover.xhtml#top"/><item id="c" href="gone.xhtml"/>'
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
                "in/the cover.xhtml": b"<html><body>Cover</body></html>",
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
    for number, words in enumerate(
        ("not readable", "has no text", "holds NaN", "nested", "not an object"), 2
    ):
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
    assert "not an RSS or Atom" in reason("a.xml", b"<?xml version='1.0'?><x>y</x>")


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
                "page.html": PAGE.encode(),
                "page_files/logo.png": b"x",
            }
        ),
    )
    assert Refused("*", "1 file ending in .png: this format is not read") in found
    found = [f for f in found if isinstance(f, Document) and f.key != "page.html"]
    assert [(f.key, f.text) for f in found if isinstance(f, Document)] == [
        ("b.zip#deep.txt", "Deep inside."),
        ("news/a.txt", "The bridge fell."),
        ("rows.jsonl#5", "Row."),
    ]


# --- Word, OpenDocument, PowerPoint, RTF --------------------------------------------------------------------------

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def word(body: str, **parts: str) -> bytes:
    """A Word file with this body, written by hand."""
    document = f'<w:document xmlns:w="{W}" xmlns:mc="urn:mc"><w:body>{body}</w:body></w:document>'
    return archive(
        {"word/document.xml": document.encode(), **{f"word/{k}.xml": v.encode() for k, v in parts.items()}}
    )


def p(*runs: str) -> str:
    return f"<w:p>{''.join(r if r.startswith('<') else f'<w:r><w:t>{r}</w:t></w:r>' for r in runs)}</w:p>"


def run(tag: str, text: str) -> str:
    kind = "delText" if tag == "del" else "t"
    return f"<w:{tag}><w:r><w:{kind}>{text}</w:{kind}></w:r></w:{tag}>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            p("It will cost ", run("del", "3.1"), run("ins", "4.2"), " million euros."),
            "It will cost 4.2 million euros.",
        ),
        (p("The ", run("moveFrom", "old "), "bridge, ", run("moveTo", "old")), "The bridge, old"),
        (
            f"<w:ins>{p('A paragraph more.')}</w:ins><w:del>{p('Gone.')}</w:del>{p('Last.')}",
            "A paragraph more.\n\nLast.",
        ),
        (
            p("The mayor is ", "<w:hyperlink><w:r><w:t>Ilse Horn</w:t></w:r></w:hyperlink>", "."),
            "The mayor is Ilse Horn.",
        ),
        (f"<w:sdt><w:sdtContent>{p('In a control.')}</w:sdtContent></w:sdt>", "In a control."),
        (p("In ", "<w:sdt><w:sdtContent><w:r><w:t>Rome</w:t></w:r></w:sdtContent></w:sdt>", "."), "In Rome."),
        (
            p(
                "Beside it.",
                "<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>"
                + p("In a box.")
                + "</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>"
                + p("In a box.")
                + "</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>",
            ),
            "Beside it.\n\nIn a box.",
        ),
        (p("Shown.", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>Hidden.</w:t></w:r>"), "Shown."),
        (p("one", "<w:r><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r>"), "one\ttwo\nthree"),
        (p("<w:r><w:instrText>PAGE 3</w:instrText></w:r>", "Page."), "Page."),
    ],
)
def test_a_word_file_is_read_as_it_would_be_printed(body: str, text: str) -> None:
    assert one("a.docx", word(body)).text == text


def test_footnotes_of_a_word_file_stand_at_its_end() -> None:
    notes = f'<w:footnotes xmlns:w="{W}"><w:footnote>{p("With the boat.")}</w:footnote></w:footnotes>'
    assert one("a.docx", word(p("Sold."), footnotes=notes)).text == "Sold.\n\nWith the boat."


def cell(text: str, more: str = "") -> str:
    return f"<w:tc><w:tcPr>{more}</w:tcPr>{p(text)}</w:tc>"


def test_merged_cells_of_a_word_table_stand_once_across_and_in_each_row_down() -> None:
    rows = [
        cell("Town") + cell("Year") + cell("Votes"),
        cell("Veldon", '<w:vMerge w:val="restart"/>') + cell("2021") + cell("12,410"),
        cell("", "<w:vMerge/>") + cell("2025") + cell("9,877"),
        cell("Nobody voted", '<w:gridSpan w:val="2"/>') + cell("0"),
    ]
    table = f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"
    assert one("a.docx", word(table)).text.split("\n") == [
        "Town: Veldon; Year: 2021; Votes: 12,410",
        "Town: Veldon; Year: 2025; Votes: 9,877",
        "Town: Nobody voted; Votes: 0",
    ]


def odt(body: str, meta: str = "") -> bytes:
    spaces = " ".join(
        f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"'
        for k, v in (("office", "office"), ("text", "text"), ("table", "table"), ("meta", "meta"))
    )
    content = f"<office:document-content {spaces}><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    about = f'<office:document-meta {spaces} xmlns:dc="http://purl.org/dc/elements/1.1/">{meta}</office:document-meta>'
    return archive({"content.xml": content.encode(), "meta.xml": about.encode()})


def test_an_opendocument_text_gives_what_it_prints() -> None:
    body = (
        "<text:tracked-changes><text:p>3.1 million</text:p></text:tracked-changes><text:h>Bridge closed</text:h>"
        "<text:p>It will cost<text:s/>4.2 <text:span>million</text:span> euros.<text:note><text:note-citation>1"
        "</text:note-citation><text:note-body><text:p>At most.</text:p></text:note-body></text:note> Then.</text:p>"
        "<text:list><text:list-item><text:p>A point.</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>Town</text:p></table:table-cell><table:table-cell><text:p>"
        "Votes</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>Veldon</text:p>"
        "</table:table-cell><table:table-cell><text:p>12</text:p></table:table-cell></table:table-row></table:table>"
    )
    meta = "<dc:title>Bridge</dc:title><meta:initial-creator>Ann Lee</meta:initial-creator><dc:date>2024-03-05</dc:date>"
    found = one("a.odt", odt(body, meta))
    assert found.text.split("\n\n") == [
        "Bridge closed",
        "It will cost 4.2 million euros. Then.",
        "At most.",
        "A point.",
        "Town: Veldon; Votes: 12",
    ]
    assert (found.title, found.author, found.published) == ("Bridge", "Ann Lee", "")


def slides() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Bridge closed"
    box = slide.shapes.add_textbox(0, 3_000_000, 100, 100)
    box.text_frame.text = "It will cost 4.2 million euros."
    table = slide.shapes.add_table(2, 2, 0, 5_000_000, 100, 100).table
    for place, text in enumerate(("Town", "Votes", "Veldon", "12")):
        table.cell(place // 2, place % 2).text = text
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    made = io.BytesIO()
    deck.save(made)
    return made.getvalue()


def test_a_presentation_is_read_from_top_to_bottom_with_its_notes() -> None:
    found = one("a.pptx", slides())
    assert found.text.split("\n\n") == [
        "Bridge closed",
        "It will cost 4.2 million euros.",
        "Town: Veldon; Votes: 12",
        "Say it slowly.",
    ]
    assert (found.title, found.author) == ("", "")


def test_an_rtf_gives_its_text_without_what_was_deleted() -> None:
    markup = (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title Caf\'e9 closed}{\author Ann Lee}}"
        r"\pard The caf\'e9 \u8211? of {\b Rome} costs {\deleted\revauthdel0 3.1 {\i or} \} so}4.2 million.{\chftn}{\footnote\pard{\chftn} At most.}\par Second.\par"
        r"\trowd\cellx100\cellx200 left\cell right\cell\row}"
    )
    found = one("a.rtf", markup.encode())
    assert found.text.split("\n\n")[0] == "The café – of Rome costs 4.2 million."
    assert "left\tright" in found.text and found.text.endswith("\n\nAt most.")
    assert (found.title, found.author) == ("Café closed", "Ann Lee")
    assert "is not RTF" in reason("a.rtf", b"plain")


# --- Excel, mail, pages in one file -------------------------------------------------------------------------------


def sheet(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def test_a_workbook_of_articles_gives_them_and_one_of_numbers_its_rows() -> None:
    rows = (
        ("Title", "Text", "Date"),
        ("Bridge", "It is closed.", datetime(2024, 3, 5)),
        ("Ferry", None, None),
    )
    found, empty = read("a.xlsx", sheet(*rows))
    assert found == Document("1", "It is closed.", "Bridge", published="2024-03-05")
    assert isinstance(empty, Refused) and "row 2" in empty.reason
    numbers = sheet(("Candidate", "Votes"), ("Ilse Horn", 12410), ("Karl Denn", 9877.0))
    assert (
        one("a.xlsx", numbers).text == "Candidate: Ilse Horn; Votes: 12410\nCandidate: Karl Denn; Votes: 9877"
    )


def mail(body: str = SENTENCE, attached: Mapping[str, bytes] = {}, subtype: str = "plain") -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Brücke gesperrt", "Ann Lee <ann@example.org>"
    message["Date"] = "Tue, 05 Mar 2024 00:30:00 +0200"
    if body:
        message.set_content(body, subtype=subtype)
    for name, data in attached.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def test_a_message_is_an_article_and_what_is_attached_others() -> None:
    found = read("a.eml", mail(attached={"b.docx": word(p("Attached.")), "c.exe": b"MZ", "d.exe": b"MZ"}))
    assert found[0] == Document("", SENTENCE, "Brücke gesperrt", "Ann Lee", published="2024-03-05")
    assert found[1] == Document("b.docx", "Attached.")
    assert found[2] == Refused("*", "attached: 2 files ending in .exe: this format is not read")
    assert one("a.eml", mail("<p>One &amp; two.</p>", subtype="html")).text == "One & two."
    both = b"Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\n\n--b\nContent-Type: text/html\n\n<p>Closed.</p>\n--b--"
    assert one("a.eml", both).text == "Closed."
    assert one("a.eml", mail("", {"b.txt": b"Attached."})) == Document("b.txt", "Attached.")
    assert "not a message" in reason("a.eml", b"\nNo head at all.")


def test_a_message_that_was_sent_on_is_read() -> None:
    message = EmailMessage()
    message["Subject"] = "See below"
    message.set_content("Please print.")
    message.add_attachment(message_from_bytes(mail(), policy=default))
    found = read("a.eml", message.as_bytes())
    assert [f.text for f in found if isinstance(f, Document)] == ["Please print.", SENTENCE]


def test_lines_of_a_message_that_its_sender_wrapped_are_whole() -> None:
    assert one("a.eml", mail("\n".join(textwrap.wrap(SENTENCE, 60)))).text == SENTENCE


def test_a_page_saved_as_one_file_is_read_like_a_page() -> None:
    head = "Subject: x\r\nDate: Tue, 05 Mar 2030 10:00:00 GMT\r\nSnapshot-Content-Location: https://e.example/1\r\n"
    head += 'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b\r\n'
    part = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    page = PAGE.replace("=", "=3D").replace("é", "=C3=A9")
    image = "\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n"
    found = one("a.mhtml", (head + part + page + image).encode())
    assert found == one("a.html", PAGE.encode())


# --- pages -------------------------------------------------------------------------------------------------------

STORY = [
    "The council of Larkholm voted on Tuesday evening to close the Old Mill Bridge for nine months, after a long debate.",
    "The repair will cost 4.2 million euros, of which the region pays one third, the mayor told reporters after the vote.",
    "Buses will be diverted over the Weir Road, and cyclists have to dismount at the temporary crossing until spring.",
]
TOLD = "".join(f"<p>{line}</p>" for line in STORY)
OFFER = "We and our 842 partners store information on your device, such as cookies. Rejecting costs 3.99 euros a month."


@pytest.mark.parametrize(
    "overlay",
    [
        f'<div class="cmp"><h1>Privacy</h1><p>{OFFER}</p></div>',
        f'<div id="cookie-consent"><h2>Privacy</h2><p>{OFFER}</p><p>{OFFER}</p></div>',
        f"<dialog open><p>{OFFER}</p></dialog>",
        f'<div role="dialog" aria-modal="true"><p>{OFFER}</p></div>',
        f'<section class="newsletter-box"><p>{OFFER}</p></section>',
    ],
)
@pytest.mark.parametrize("around", ["article", "aside class='main-content'", "div class='story'", "main"])
def test_what_lies_over_a_page_is_not_its_article(overlay: str, around: str) -> None:
    page = f"<html><head><title>Bridge closed</title></head><body>{overlay}<{around}><h1>Bridge closed</h1>{TOLD}</{around.split()[0]}></body></html>"
    found = one("a.html", page.encode())
    assert all(line in found.text for line in STORY)
    assert "cookies" not in found.text and "3.99" not in found.text
    assert found.title == "Bridge closed"


def test_a_page_that_is_wholly_in_a_box_named_like_an_overlay_is_read() -> None:
    page = f'<html><body><div class="no-cookie modal-open"><h1>Bridge closed</h1>{TOLD}</div></body></html>'
    assert all(line in one("a.html", page.encode()).text for line in STORY)


def test_text_behind_a_wall_that_the_saved_page_holds_is_read() -> None:
    page = f'<html><body><article><h1>Bridge closed</h1><p>{STORY[0]}</p><div class="paywall"><p>{STORY[1]}</p></div></article></body></html>'
    assert STORY[1] in one("a.html", page.encode()).text


def test_an_article_deep_inside_a_page_is_read() -> None:
    page = f"<html><body>{'<div>' * 600}{TOLD}{'</div>' * 600}</body></html>"
    assert all(line in one("a.html", page.encode()).text for line in STORY)


def test_items_of_lists_keep_their_marks() -> None:
    markup = "<p>What is new:</p><ul><li><p>One.</p></li><li>Two.</li></ul><ol start=3><li>Three.</li><li>Four.</li></ol>"
    lines = [line for line in one("a.json", json.dumps({"text": markup}).encode()).text.split("\n") if line]
    assert lines == ["What is new:", "- One.", "- Two.", "3. Three.", "4. Four."]


def paywalled(about: object) -> bytes:
    shown = f"<p>{STORY[0]}</p><div class='wall'><p>This article is for subscribers. Subscribe now for 14.90 euros.</p></div>"
    return (
        f"<html><head><title>x</title></head><body><article><h1>Bridge closed</h1>{shown}</article>"
        f'<script type="application/ld+json">{json.dumps(about)}</script></body></html>'
    ).encode()


@pytest.mark.parametrize("graph", [False, True])
def test_the_text_that_a_page_gives_to_machines_counts_where_readers_see_less(graph: bool) -> None:
    about: dict[str, object] = {
        "@type": ["NewsArticle"],
        "headline": "Bridge closed",
        "datePublished": "2024-03-05T23:30:00+02:00",
        "author": [{"@type": "Person", "name": "Ann Lee"}, {"name": "Bob Cho"}],
        "publisher": {"name": "Larkholm Post"},
        "articleBody": " ".join(STORY),
    }
    found = one(
        "a.html", paywalled({"@graph": [{"@type": "WebSite", "name": "x"}, about]} if graph else [about])
    )
    assert found.text == " ".join(STORY)
    assert (found.title, found.author, found.publisher, found.published) == (
        "Bridge closed",
        "Ann Lee, Bob Cho",
        "Larkholm Post",
        "2024-03-05",
    )


@pytest.mark.parametrize(
    "about", ["[" * 30_000, {"@type": "NewsArticle", "articleBody": STORY[0][:160]}, {"@type": 5}]
)
def test_a_summary_or_nonsense_for_machines_does_not_replace_the_page(about: object) -> None:
    assert STORY[0] in one("a.html", paywalled(about)).text


TABLE = (
    "<table><tr><th>Candidate</th><th>Party</th><th>Votes</th></tr><tr><td>Ilse Horn</td><td rowspan=2>Greens</td>"
    "<td>12,410</td></tr><tr><td>Karl <b>Denn</b></td><td>9,877</td></tr><tr><td colspan=2>Others</td><td><ul><li>204</li></ul>"
    "</td></tr></table>"
)
ROWS = [
    "Candidate: Ilse Horn; Party: Greens; Votes: 12,410",
    "Candidate: Karl Denn; Party: Greens; Votes: 9,877",
    "Candidate: Others; Votes: 204",
]


def test_each_row_of_a_pages_table_is_a_line_with_the_heads_of_its_columns() -> None:
    page = f"<html><body><article><h1>The vote</h1><p>{STORY[0]}</p>{TABLE}<p>{STORY[1]}</p></article></body></html>"
    assert one("a.html", page.encode()).text.split("\n\n")[-5:] == [STORY[0], *ROWS, STORY[1]]


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        (
            "<table><tr><th colspan=2>Length</th><td>212 metres</td></tr><tr><th>Cost</th><td>4 euros</td></tr></table>",
            ["Length: 212 metres", "Cost: 4 euros"],
        ),
        (
            "<dl><dt>Length</dt><dd>212 metres</dd><dt>Cost:</dt><dd>4 euros</dd></dl>",
            ["Length: 212 metres", "Cost: 4 euros"],
        ),
        (
            "<table><thead><tr><td>Town</td><td>Mayor</td></tr></thead><tr><td>Veldon</td><td>Ilse Horn</td></tr></table>",
            ["Town: Veldon; Mayor: Ilse Horn"],
        ),
    ],
)
def test_pairs_of_a_word_and_what_it_stands_for_are_lines(markup: str, lines: list[str]) -> None:
    page = f"<html><body><article><h1>Bridge</h1><p>{STORY[0]}</p>{markup}<p>{STORY[1]}</p></article></body></html>"
    assert one("a.html", page.encode()).text.split("\n\n")[1:] == [STORY[0], *lines, STORY[1]]


def test_comments_longer_than_the_article_are_not_taken_for_it() -> None:
    chatter = "".join(
        f"<p>Reader {n} thinks that it is a scandal, and that everyone knew it for years.</p>"
        for n in range(30)
    )
    page = f"<html><body><article><h1>Bridge</h1>{TOLD}</article><section>{chatter}</section></body></html>"
    text = one("a.html", page.encode()).text
    assert all(line in text for line in STORY) and "scandal" not in text


def test_an_article_whose_lines_are_parted_by_breaks_alone_is_read_without_its_menu() -> None:
    page = f"<html><body><div><a href='/'>Home</a></div><div>{'<br><br>'.join(STORY)}</div><div>Imprint</div></body></html>"
    assert one("a.html", page.encode()).text == "\n\n".join(STORY)


def test_tables_that_lay_out_a_page_are_read_as_text() -> None:
    page = f"<html><body><table><tr><td>Menu</td><td>{TOLD * 2}</td></tr></table></body></html>"
    assert all(line in one("a.html", page.encode()).text for line in STORY)


def test_cells_of_tables_in_feeds_rows_and_books_are_kept_apart() -> None:
    cells = "<table><tr><td>The Greens won</td><td>12</td><td>410 votes</td></tr></table>"
    escaped = cells.replace("<", "&lt;")
    feed = f'<rss version="2.0"><channel><item><guid>1</guid><description>{escaped}</description></item></channel></rss>'
    assert one("a.rss", feed.encode()).text == "The Greens won\t12\t410 votes"
    assert one("a.json", json.dumps({"text": TABLE}).encode()).text.split("\n\n") == ROWS
    assert one("a.md", b"| Town | Votes |\n|---|---|\n| Veldon | 12 |\n").text == "Town: Veldon; Votes: 12"


@pytest.mark.parametrize(
    "when", ["Tue, 05 Mar 2024 00:30:00 +0200", "2024-03-05T23:30:00-05:00", "Tue, 05 Mar 2024 01:00 EST"]
)
def test_the_day_of_an_entry_is_the_one_that_is_written_whatever_its_zone(when: str) -> None:
    item = f"<item><guid>1</guid><description>Closed.</description><pubDate>{when}</pubDate></item>"
    found = one("a.rss", f'<rss version="2.0"><channel>{item}</channel></rss>'.encode())
    assert found.published == "2024-03-05"


def test_a_feed_that_is_cut_off_says_so() -> None:
    item = "<item><guid>{n}</guid><description>Closed.</description></item>"
    feed = '<rss version="2.0"><channel>' + "".join(item.format(n=n) for n in range(3))
    found = read("a.rss", feed.encode())
    assert sum(isinstance(f, Document) for f in found) == 3
    assert isinstance(found[-1], Refused) and "damaged" in found[-1].reason


# --- Markdown, JSON ----------------------------------------------------------------------------------------------


def test_markdown_gives_its_words_without_its_marks() -> None:
    text = (
        '+++\ntitle = "Lighthouse sold"\ndate = 2024-03-05\n+++\n\n# Lighthouse sold\n\nThe lighthouse of **Sorrel** was\n'
        "sold for *310,000 euros*.[^1] [More](https://e.example) <script>x</script>\nA line of its own.\n\n- A point\n\n"
        "[^1]: With the boat.\n"
    )
    found = one("a.md", text.encode())
    assert (found.title, found.published) == ("Lighthouse sold", "2024-03-05")
    assert found.text == (
        "Lighthouse sold\n\nThe lighthouse of Sorrel was\nsold for 310,000 euros. More\nA line of its own.\n\n- A point"
        "\n\nWith the boat."
    )
    assert one("a.md", b"# Zoo\n\nIt opened.").title == "Zoo"


@pytest.mark.parametrize(
    "text",
    [
        ["One is here", "Two is here"],
        [{"type": "p", "text": "One is here"}, {"type": "p", "content": ["Two is here"]}],
        {"rendered": "<p>One is here</p><p>Two is here</p>"},
    ],
)
def test_a_list_of_paragraphs_stays_paragraphs(text: object) -> None:
    assert one("a.jsonl", json.dumps({"id": 1, "text": text}).encode()).text == "One is here\n\nTwo is here"


def test_lists_and_objects_of_other_fields_are_one_line() -> None:
    row = {
        "title": {"rendered": "Bridge"},
        "authors": [{"name": "Ann Lee"}, "Bob Cho"],
        "text": "Closed.",
        "date": 1709632800,
    }
    assert one("a.json", json.dumps(row).encode()) == Document(
        "", "Closed.", "Bridge", "Ann Lee, Bob Cho", published="2024-03-05"
    )


@pytest.mark.parametrize(
    ("written", "days"),
    [
        (["05/03/2024", "25/03/2024", "31/03/2024"], ["2024-03-05", "2024-03-25", "2024-03-31"]),
        (["05/03/2024", "03/25/2024", "3/31/2024 10:00"], ["2024-05-03", "2024-03-25", "2024-03-31"]),
        (["05/03/2024", "25/03/2024"], ["05/03/2024", "2024-03-25"]),  # one alone may be a slip
        (["05/03/2024", "25/03/2024", "31/03/2024", "03/25/2024", "3/31/2024"], ["05/03/2024"]),
    ],
)
def test_dates_in_figures_are_read_in_the_order_that_others_of_their_table_tell(
    written: list[str], days: list[str]
) -> None:
    table = "text,date\n" + "".join(f"Closed {n}.,{day}\n" for n, day in enumerate(written))
    rows = [{"text": f"Closed {n}.", "date": day} for n, day in enumerate(written)]
    for found in (read("a.csv", table.encode()), read("a.json", json.dumps(rows).encode())):
        assert [f.published for f in found if isinstance(f, Document)][: len(days)] == days


def test_fields_are_found_as_other_programs_call_them() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": "1", "content_html": "<p>Closed.</p>", "date_published": "2024-03-05"}],
    }
    assert one("a.json", json.dumps(feed).encode()) == Document("1", "Closed.", published="2024-03-05")
    guardian = {
        "webTitle": "Bridge",
        "webPublicationDate": "2024-03-05T10:00:00Z",
        "fields": {"bodyText": "Closed."},
    }
    assert one("a.json", json.dumps(guardian).encode()) == Document(
        "", "Closed.", "Bridge", published="2024-03-05"
    )
    assert one("a.json", b'{"description": "Short.", "content": "Long."}').text == "Long."


def test_lines_of_json_in_a_file_called_json_are_read() -> None:
    found = read("a.json", b'{"id": "a", "text": "One."}\n{"id": "b", "text": "Two."}\nno\n')
    assert found[:2] == [Document("a", "One."), Document("b", "Two.")]
    assert isinstance(found[2], Refused) and found[2].reason.startswith("line 3")


# --- all of them -------------------------------------------------------------------------------------------------

TWIN = "Bridge closed in Larkholm\n\n" + "\n\n".join(STORY)


def one_of_each() -> dict[str, bytes]:
    """The same article as a file of each format, by name."""
    paragraphs = TWIN.split("\n\n")
    markup = f"<h1>{paragraphs[0]}</h1>{TOLD}"
    page = f"<html><head><title>{paragraphs[0]}</title></head><body><article>{markup}</article></body></html>"
    row = {"id": "1", "text": TWIN}
    escaped = markup.replace("&", "&amp;").replace("<", "&lt;")
    feed = f'<rss version="2.0"><channel><item><guid>1</guid><description>{escaped}</description></item></channel></rss>'
    package = '<package><manifest><item id="a" href="one.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'
    lines = [line for text in paragraphs for line in [*textwrap.wrap(text, 70), ""]]
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "\n".join(paragraphs)
    made = io.BytesIO()
    deck.save(made)
    files = {
        "a.txt": TWIN.encode(),
        "a.md": f"# {TWIN}".encode(),
        "a.html": page.encode(),
        "a.pdf": pdf(lines),
        "a.docx": word("".join(map(p, paragraphs))),
        "a.odt": odt("".join(f"<text:p>{text}</text:p>" for text in paragraphs)),
        "a.rtf": ("{\\rtf1 " + "\\par ".join(paragraphs) + "}").encode(),
        "a.pptx": made.getvalue(),
        "a.epub": archive(
            {
                "META-INF/container.xml": b'<c><r><rootfile full-path="b.opf"/></r></c>',
                "b.opf": package.encode(),
                "one.xhtml": f"<html><body>{markup}</body></html>".encode(),
            }
        ),
        "a.rss": feed.encode(),
        "a.json": json.dumps(row).encode(),
        "a.jsonl": json.dumps(row).encode(),
        "a.csv": f'id,text\n1,"{TWIN}"\n'.encode(),
        "a.xlsx": sheet(("id", "text"), ("1", TWIN)),
        "a.eml": mail(TWIN),
        "a.mht": b"Subject: x\nContent-Type: text/html; charset=utf-8\n\n" + page.encode(),
    }
    return files | {"a.zip": archive({"in.txt": TWIN.encode(), "in.docx": files["a.docx"]})}


@pytest.mark.parametrize("name", sorted(one_of_each()))
def test_the_text_of_a_file_of_each_format_is_that_of_its_plain_text_twin(name: str) -> None:
    found = [Document("", TWIN)] if name == "a.txt" else read(name, one_of_each()[name])
    assert found and all(isinstance(f, Document) and f.text == TWIN for f in found), found


def test_there_is_a_twin_of_each_format() -> None:
    families = {reader: ending for ending, reader in READERS.items()}
    assert {READERS[Path(name).suffix] for name in one_of_each()} == set(families)


# --- hostile files -----------------------------------------------------------------------------------------------

ROUNDS = int(os.environ.get("CITEWIRE_FUZZ_ROUNDS", "12"))  # damaged files of each format


def damaged(data: bytes, chance: random.Random) -> bytes:
    """`data` with some bytes changed, and its end cut off every other time."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 8, 64))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    if chance.random() < 0.5:
        del changed[chance.randrange(len(changed)) :]
    return bytes(changed)


@pytest.mark.parametrize("name", sorted(one_of_each()))
def test_a_damaged_file_is_read_or_named_and_never_ends_in_an_error(name: str) -> None:
    whole = one_of_each()[name]
    chance = random.Random(name)
    for number in range(ROUNDS):
        data = damaged(whole, chance)
        if whole.startswith(b"PK") and number % 2:  # an archive that is whole, with a damaged file in it
            with zipfile.ZipFile(io.BytesIO(whole)) as file:
                members = {info.filename: file.read(info) for info in file.infolist()}
            hit = chance.choice([n for n, content in members.items() if content])
            data = archive(members | {hit: damaged(members[hit], chance)})
        found = read(name, data)
        assert found, "a file that is lost must be named"
        assert all(f.text if isinstance(f, Document) else isinstance(f, Working) or f.reason for f in found)


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
