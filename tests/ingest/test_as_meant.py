"""Formats: marks, quotations and furniture that a reader of the original would not take for its text, and what must stay."""

from __future__ import annotations

import copy
import io
import json
import textwrap
from email.message import EmailMessage

import openpyxl
import pptx
import pypdfium2
import pytest

from rag.ingest.descriptions import describe
from rag.ingest.formats import Document, Refused
from rag.ingest.formats.pdf_letters import pieces_of
from rag.ingest.furniture import regions
from tests.ingest.test_formats import STORY, TOLD, archive, at, one, pdf, pdf_pages, read, word
from tests.made import article


def page(body: str, head: str = "") -> str:
    """The text of a saved page whose article is `body`."""
    return saved(body, head).text


def saved(body: str, head: str = "", foot: str = "") -> Document:
    title = "Bridge closed for nine months"
    markup = f"<html><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>{body}</article>{foot}</body></html>"
    return one("a.html", markup.encode())


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("the lake covers 12 km<sup>2</sup> of land", "the lake covers 12 km² of land"),
        ("it holds 10<sup>6</sup> litres of water", "it holds 10⁶ litres of water"),
        ("on the 10<sup>th</sup> of July it opened", "on the 10th of July it opened"),
        ("after the vote.<sup>2</sup> The lake rose", "after the vote. The lake rose"),
        ('the council<sup><a href="#n">[3]</a></sup> said so', "the council said so"),
        ("it costs <del>3.1</del> 4.2 million euros", "it costs 4.2 million euros"),
        ("it costs <s>3.1</s> 4.2 million euros", "it costs 4.2 million euros"),
    ],
)
def test_raised_figures_are_no_part_of_a_number_and_struck_out_ones_are_gone(markup: str, shown: str) -> None:
    for text in (page(f"<p>{STORY[0]} And {markup}.</p>{TOLD}"), feed_text(f"<p>And {markup}.</p>")):
        assert f"And {shown}." in text


def feed_text(markup: str) -> str:
    entry = f"<item><title>A</title><description><![CDATA[{markup}]]></description></item>"
    return one(
        "a.rss", f'<rss version="2.0"><channel><title>Wire</title>{entry}</channel></rss>'.encode()
    ).text


def test_a_line_that_links_to_another_article_is_not_of_this_one_but_names_and_words_said_are() -> None:
    others = (
        '<p><b>Read more:</b> <a href="/f">Ferry fares to rise by a fifth in autumn</a></p>',
        '<p>More on this story: <a href="/f">Ferry fares to rise by a fifth</a> <a href="/t">The tower of Ostrava</a></p>',
    )
    kept = (
        '<p>The mayor of the town: <a href="/h">Ilse Horn</a></p>',
        '<p>The minister, who has seen the <a href="/b">plans for the bridge over the river</a>, said so: no.</p>',
    )
    text = page(
        f"<p>{STORY[0]}</p>{others[0]}{kept[0]}<p>{STORY[1]}</p>{others[1]}{kept[1]}<p>{STORY[2]}</p>"
    )
    assert "Ferry fares" not in text and "Ostrava" not in text
    assert "The mayor of the town: Ilse Horn" in text and "plans for the bridge over the river" in text
    assert all(line in text for line in STORY)


def test_a_year_in_a_footer_is_no_date_of_publication() -> None:
    foot = "<footer>© 2025 The Larkholm Courier. All rights reserved.</footer>"
    assert saved(TOLD, foot=foot).published == ""
    assert saved(TOLD, '<meta name="date" content="2025-07-10">', foot).published == "2025-07-10"
    assert saved(f'<time datetime="2025-07-10">10 July</time>{TOLD}', "", foot).published == "2025-07-10"


def test_a_page_in_nested_tables_has_paragraphs_and_no_bars() -> None:
    paragraphs = "".join(f"<tr><td><p>{line}</p></td></tr>" for line in STORY)
    rows = f"<tr><td><table><tr><td><a href='/'>Home</a></td></tr></table></td><td><table>{paragraphs}</table></td></tr>"
    text = one("a.html", f"<html><body><table>{rows}</table></body></html>".encode()).text
    assert "|" not in text and text.endswith("\n\n".join(STORY))


def test_pages_and_messages_that_say_latin_1_mean_the_quotation_marks_of_windows() -> None:
    said = "“The work can’t wait” – so the mayor said."
    head = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">'
    markup = f"<html><head>{head}</head><body><article><p>{said} {STORY[0]}</p>{TOLD}</article></body></html>"
    assert said in one("a.html", markup.encode("cp1252")).text
    message = b"Subject: x\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
    assert one("a.eml", message + said.encode("cp1252")).text == said


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "us-ascii", "utf-8"])
def test_a_page_in_utf_8_is_read_as_that_whatever_it_declares(declared: str) -> None:
    said = "“The café is closed” – so the mayor said."
    assert said in page(f"<p>{said} {STORY[0]}</p>{TOLD}", f'<meta charset="{declared}">')


def test_items_with_a_heading_of_their_own_do_not_run_into_their_text() -> None:
    items = "".join(f"<li><h2>{n}. A point</h2><p>{line}</p></li>" for n, line in enumerate(STORY, 1))
    text = page(f"<ol>{items}</ol>")
    assert all(f"{n}. A point\n\n{line}" in text for n, line in enumerate(STORY, 1))
    assert "- A point of one line" in page(
        f"{TOLD}<ul><li>A point of one line</li><li>Another one of them</li></ul>"
    )


def test_a_box_of_facts_has_a_line_for_each_under_its_title() -> None:
    rows = "<tr><th>Length</th><td>212 m</td></tr><tr><th>Opened</th><td>1931</td></tr>"
    text = page(f"{TOLD}<table><tr><th colspan=2>The bridge</th></tr>{rows}</table>")
    assert "The bridge\n\nLength: 212 m\n\nOpened: 1931" in text


def test_a_press_release_in_plain_lines_has_whole_paragraphs() -> None:
    lines = "\n\n".join(textwrap.fill(line, 70) for line in STORY)
    text = one("a.html", f"<html><body><pre>\n{lines}\n</pre></body></html>".encode()).text
    assert text == "\n\n".join(STORY)
    poem = "<pre>\nRoses are red,\nViolets are blue.\n</pre>"
    assert "Roses are red" in page(f"{TOLD}{poem}")


def test_labels_for_those_who_have_a_page_read_aloud_are_not_read() -> None:
    label = '<span class="sr-only">Opens in a new window, close with escape</span>'
    assert "escape" not in page(f"<p>{STORY[0]} {label}</p>{TOLD}")
    assert STORY[1] in page(f'<div class="screen-reader-friendly">{TOLD}</div>')


def test_names_that_a_page_tells_machines_elsewhere_are_found() -> None:
    graph = [
        {
            "@type": "NewsArticle",
            "author": {"@id": "#a"},
            "publisher": {"@id": "#p"},
            "datePublished": "2025-07-10",
        },
        {"@type": "Person", "@id": "#a", "name": "Ann Lee"},
        {"@type": "Organization", "@id": "#p", "name": "The Courier"},
    ]
    found = saved(TOLD, f'<script type="application/ld+json">{json.dumps({"@graph": graph})}</script>')
    assert (found.author, found.publisher, found.published) == ("Ann Lee", "The Courier", "2025-07-10")


def test_a_head_of_several_rows_names_each_column() -> None:
    head = "<tr><th rowspan=2>Ward</th><th colspan=2>Votes</th></tr><tr><th>2021</th><th>2025</th></tr>"
    row = "<tr><td>Harbour</td><td>12,410</td><td>9,877</td></tr>"
    assert "Ward: Harbour; Votes 2021: 12,410; Votes 2025: 9,877" in page(f"{TOLD}<table>{head}{row}</table>")
    assert feed_text(f"<table>{head}</table>")


def test_the_description_of_a_picture_is_not_the_entry_of_a_feed() -> None:
    picture = '<media:content url="x"><media:description>Photo: Ann</media:description></media:content>'
    entry = f"<item><title>A</title><description>{STORY[0]}</description>{picture}</item>"
    space = 'xmlns:media="http://search.yahoo.com/mrss/"'
    feed = f'<rss version="2.0" {space}><channel><title>Wire</title>{entry}</channel></rss>'
    assert one("a.rss", feed.encode()).text == STORY[0]


# --- PDF ---------------------------------------------------------------------------------------------------------


def test_raised_figures_of_a_pdf_are_units_or_marks_of_footnotes() -> None:
    raised, lowered, level = "/F1 7 Tf 5 Ts", "/F1 7 Tf -2 Ts", "/F1 12 Tf 0 Ts"
    drawn = (
        f"BT 50 600 Td {level} (The lake covers 12 km) Tj {raised} (2) Tj {level} ( of land.) Tj {raised} (3) Tj"
        f" {level} ( It holds CO) Tj {lowered} (2) Tj {level} ( too.) Tj ET"
    )
    assert one("a.pdf", pdf_pages([drawn])).text == "The lake covers 12 km² of land. It holds CO2 too."


def test_a_ligature_does_not_break_its_line() -> None:
    mapping = "begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <7E> <00660069> endbfchar endcmap"
    data = pdf(["The ~rst of~ce of the town."])
    data = data.replace(b"/BaseFont /Helvetica >>", b"/BaseFont /Helvetica /ToUnicode 99 0 R >>")
    stream = f"99 0 obj\n<< /Length {len(mapping)} >>\nstream\n{mapping}\nendstream\nendobj\n"
    document = pypdfium2.PdfDocument(data.replace(b"xref\n", f"{stream}xref\n".encode(), 1))
    page = document[0]
    assert [p.text for p in pieces_of(page.get_textpage(), page.get_cropbox())] == [
        "The first office of the town."
    ]
    document.close()


def test_columns_are_read_one_after_the_other_though_some_of_their_lines_are_stretched() -> None:
    left = ["The council voted on Monday", "to close the old bridge for", "", "year, and the mayor said so."]
    right = ["A ferry company announced a", "", "Sorrel in the bay, and a new", "boat will carry 240 people."]
    stretched = [
        at(x, top, [word])
        for top, start, words in ((572, 50, "nine months of the"), (586, 320, "route to the island"))
        for x, word in zip(range(start, start + 200, 45), words.split(), strict=False)
    ]
    text = one("a.pdf", pdf_pages([" ".join([at(50, 600, left), at(320, 600, right), *stretched])])).text
    assert text.index("year, and") < text.index("A ferry")


def test_running_heads_of_left_and_right_pages_mirror_each_other() -> None:
    heads = ("The Larkholm Courier 1", "2 The Larkholm Courier", "The Larkholm Courier 3")
    pages = [
        f"{at(50, 760, [head])} {at(50, 700, [line[:60]])}" for head, line in zip(heads, STORY, strict=True)
    ]
    text = one("a.pdf", pdf_pages(pages)).text
    assert "Courier" not in text and all(line[:60] in text for line in STORY)


@pytest.mark.parametrize(
    ("above", "below", "framed"),
    [
        ("7/10/25, 9:15 AM", "https://courier.example/bridge", True),
        ("10.07.2025, 09:15", "file:///tmp/bridge.html", True),
        ("The council of Larkholm", "https://courier.example/bridge", False),
        ("7/10/25, 9:15 AM", "the council said on Friday.", False),
    ],
)
def test_what_a_browser_prints_around_a_page_is_not_read(above: str, below: str, framed: bool) -> None:
    drawn = [
        at(30, 770, [above]),
        at(250, 770, ["Bridge closed | Courier"]),
        at(60, 700, ["The council of Larkholm voted to close it."]),
        at(30, 20, [below]),
    ]
    found = one("a.pdf", pdf_pages([" ".join([*drawn, *([at(560, 20, ["1/1"])] if framed else [])])])).text
    assert (found == "The council of Larkholm voted to close it.") is framed
    assert framed or (above in found and below in found)


# --- office, mail, Markdown --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (r"It costs {\v 9 or }4.2 million.", "It costs 4.2 million."),
        (r"It costs \v 9 or \v0 4.2 million.", "It costs 4.2 million."),
        (r"It costs\deleted  9 or\deleted0  4.2 million.", "It costs 4.2 million."),
        (
            r'{\field{\*\fldinst{HYPERLINK "http://e.example"}}{\fldrslt{The council}}} said.',
            "The council said.",
        ),
        (r"It costs {\strike 3.1 }4.2 million.", "It costs 4.2 million."),
        (
            r"It covers 12 km{\super 2} and 10\super 6\super0  l.{\super 3} It rains.",
            "It covers 12 km² and 10⁶ l. It rains.",
        ),
        (r"Said.{\*\annotation{\pard by the editor}} Then.", "Said. Then."),
    ],
)
def test_what_an_rtf_does_not_print_is_not_read(markup: str, text: str) -> None:
    assert one("a.rtf", rf"{{\rtf1\ansi {markup}\par}}".encode()).text == text


def run(text: str, properties: str) -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def test_a_word_file_is_read_with_raised_figures_and_without_what_is_struck_out() -> None:
    raised, struck = '<w:vertAlign w:val="superscript"/>', "<w:strike/>"
    runs = [
        run("It covers 12 km", ""),
        run("2", raised),
        run(", he said.", ""),
        run("4", raised),
        run(" It costs ", ""),
    ]
    runs += [run("3.1 ", struck), run("4.2", '<w:strike w:val="0"/>'), run(" million.", "")]
    assert (
        one("a.docx", word(f"<w:p>{''.join(runs)}</w:p>")).text
        == "It covers 12 km², he said. It costs 4.2 million."
    )


def test_raised_and_struck_out_text_of_an_opendocument_file_is_told_by_its_style() -> None:
    looks = (
        ("R", 'text-position="super 58%"'),
        ("S", 'text-line-through-style="solid"'),
        ("N", 'text-line-through-style="none"'),
    )
    styles = "".join(f'<style name="{n}"><text-properties {look}/></style>' for n, look in looks)
    body = (
        '<p>It covers 12 km<span style-name="R">2</span>, he said.<span style-name="R">4</span> It costs '
        '<span style-name="S">3.1 </span><span style-name="N">4.2</span> million.</p>'
    )
    content = f"<document>{styles}<body><text>{body}</text></body></document>"
    assert (
        one("a.odt", archive({"content.xml": content.encode()})).text
        == "It covers 12 km², he said. It costs 4.2 million."
    )


def test_hidden_sheets_and_slides_are_not_read() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Shown", 1])
    book.create_sheet("b").append(["Hidden", 2])
    book["b"].sheet_state = "hidden"
    deck = pptx.Presentation()
    for text in ("Shown", "Hidden"):
        deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = text
    deck.slides[1]._element.set("show", "0")
    for name, file in (("a.xlsx", book), ("a.pptx", deck)):
        made = io.BytesIO()
        file.save(made)
        text = one(name, made.getvalue()).text
        assert "Shown" in text and "Hidden" not in text


def test_the_frame_of_a_slide_is_not_read() -> None:
    deck = pptx.Presentation()
    layout = deck.slide_layouts[1]
    slide = deck.slides.add_slide(layout)
    slide.shapes.title.text, slide.placeholders[1].text = "Bridge closed", STORY[0]
    for frame in layout.placeholders:
        if frame.placeholder_format.idx >= 10:  # date, footer, number
            slide.shapes._spTree.append(copy.deepcopy(frame._element))
            slide.placeholders[frame.placeholder_format.idx].text = "The Courier, 12 July 2025"
    made = io.BytesIO()
    deck.save(made)
    assert one("a.pptx", made.getvalue()).text == f"Bridge closed\n\n{STORY[0]}"


@pytest.mark.parametrize(
    ("text", "markup", "shown"),
    [
        (
            "Read this in your browser: https://e.example",
            f"<tr><td><h1>A</h1>{TOLD}</td></tr>",
            ["A", *STORY],
        ),
        (
            "The bridge is closed.",
            "<tr><td><p>The bridge</p><p>is closed.</p></td></tr>",
            ["The bridge is closed."],
        ),
    ],
)
def test_a_message_whose_plain_text_only_points_to_its_markup_is_read_from_that(
    text: str, markup: str, shown: list[str]
) -> None:
    made = EmailMessage()
    made["Subject"] = "News"
    made.set_content(text)
    made.add_alternative(f"<table>{markup}</table>", subtype="html")
    assert one("a.eml", made.as_bytes()).text == "\n\n".join(shown)


def message(text: str = "", markup: str = "") -> str:
    made = EmailMessage()
    made["Subject"], made["From"] = "Bridge", "Ann Lee <ann@example.org>"
    made.set_content(markup or text, subtype="html" if markup else "plain")
    return one("a.eml", made.as_bytes()).text


OWN = "The bridge is closed from Friday."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{OWN}\n\nOn Wed, 9 Jul 2025, Karl Denn wrote:\n> It costs 9 million.\n> So they say.\n", OWN),
        (f"{OWN}\n\n-- \nAnn Lee\nThe Courier | +44 1", OWN),
        (f"{OWN}\n--\nAnn Lee\nThe Courier", OWN),
        (f"{OWN}\n--\n{STORY[0]}\n--\n{STORY[1]}", f"{OWN}\n--\n{STORY[0]}\n--\n{STORY[1]}"),
        ("Karl wrote:\n> Is it closed?\n\nYes.\n\n> Until when?\n\nMay.", "Yes.\n\nMay."),
        ("> It costs 9 million.\n> > So they say.", "It costs 9 million.\nSo they say."),
        (
            "See below.\n\n> From: Karl\n> Subject: Bridge\n>\n> It is shut.",
            "See below.\n\nFrom: Karl\nSubject: Bridge\n\nIt is shut.",
        ),
        (
            f"The council said this:\n\n- one\n- two\n\n{OWN}",
            f"The council said this:\n\n- one\n- two\n\n{OWN}",
        ),
    ],
)
def test_a_message_is_what_its_sender_wrote_or_sent_on(text: str, shown: str) -> None:
    assert message(text) == shown


@pytest.mark.parametrize(
    ("quoted", "kept"),
    [
        ('<blockquote type="cite">It costs 9 million.</blockquote>', False),
        ('<div class="gmail_attr">Karl wrote:</div><blockquote class="gmail_quote">It costs 9 million.</blockquote>', False),
        ('<blockquote type="cite">From: Karl<br>Subject: Costs<br>It costs 9 million.</blockquote>', True),
        ("<blockquote>It costs 9 million.</blockquote>", True),
    ],
)  # fmt: skip
def test_a_quotation_in_a_message_of_markup_is_left_out_and_a_forwarded_one_is_not(
    quoted: str, kept: bool
) -> None:
    text = message(markup=f"<p>{OWN}</p>{quoted}")
    assert text.startswith(OWN) and ("9 million" in text) is kept and "wrote" not in text
    assert "9 million" in message(markup=quoted)


def test_front_matter_may_list_its_authors() -> None:
    assert (
        one("a.md", b"---\ntitle: A\nauthors:\n- Ann Lee\n- Bo Ray\ndate: 2025-07-10\n---\nText.").author
        == "Ann Lee"
    )
    assert one("a.md", b"---\nheadline: A\nauthor: [Ann Lee, Bo Ray]\n---\nText.").author == "Ann Lee, Bo Ray"
    clipped = b'---\nsource: "https://e.example/1"\nauthor:\n  - "[[Ann Lee]]"\n---\nText.'
    assert (one("a.md", clipped).url, one("a.md", clipped).author) == ("https://e.example/1", "Ann Lee")
    notes = b"See [[Old Bridge|the bridge]] in [[Larkholm]]. ![[plan.png]]\n\n> [!note] Costs\n> None [1]."
    assert one("a.md", notes).text == "See the bridge in Larkholm.\n\nCosts\nNone [1]."
    assert one("a.md", b"It costs ~~3.1~~ 4.2 million.").text == "It costs 4.2 million."


# --- tables ------------------------------------------------------------------------------------------------------

ROW = {"title": "Bridge", "text": STORY[0]}


@pytest.mark.parametrize(
    "content",
    [
        {"status": "ok", "response": {"docs": [ROW]}},
        {"hits": {"total": 1, "hits": [{"_id": "x", "_source": ROW}]}},
        {"article": ROW},
        {"title": "All news", "description": "News of the town.", "items": [ROW]},
        {"title": "All news", "feed": {"entries": [{"headline": "Bridge", "summary": STORY[0]}]}},
        {**ROW, "comments": [{"text": "I do not like it."}, {"text": "I do."}]},
        [{"title": "Bridge", "description": STORY[0], "source": {"name": "Wire", "description": "News."}}],
        [{"title": "Bridge", "text": STORY[0], "date": {"$date": "2025-07-10T09:00:00Z"}}],
        [{"headline": {"main": "Bridge"}, "content": {"blocks": [{"data": {"text": STORY[0]}}]}}],
    ],
)
def test_articles_are_found_wherever_some_json_holds_them(content: object) -> None:
    found = one("a.json", json.dumps(content).encode())
    assert (found.title, found.text) == ("Bridge", STORY[0])


def test_articles_by_their_ids_and_mere_texts_are_all_read() -> None:
    by_id = read("a.json", json.dumps({"x": ROW, "y": {"title": "Ferry", "text": STORY[1]}}).encode())
    texts = read("a.json", json.dumps(STORY[:2]).encode())
    for found in (by_id, texts):
        assert [f.text for f in found if isinstance(f, Document)] == STORY[:2]


def test_columns_may_be_named_as_people_name_them() -> None:
    data = f'Headline,Byline,Pub Date,Article Text\nBridge,By Ann Lee,2025-07-10,"{STORY[0]}"\n'
    found = one("a.csv", data.encode())
    assert found == Document("1", STORY[0], "Bridge", "Ann Lee", published="2025-07-10")


@pytest.mark.parametrize(
    "data",
    [
        b"sep=;\r\ntitle;text\r\nBridge;Closed, all of it.\r\n",
        b'title,text\nBridge,"Closed, all of it.",,\n',
        b"\xef\xbb\xbftitle|text\nBridge|Closed, all of it.\n",
    ],
)
def test_tables_are_read_as_programs_write_them(data: bytes) -> None:
    assert one("a.csv", data) == Document("1", "Closed, all of it.", "Bridge")


def test_lines_of_json_may_be_those_of_a_list() -> None:
    found = read("a.jsonl", b'[\n{"text": "One."},\n{"text": "Two."},\nno\n]\n')
    assert [f.text for f in found if isinstance(f, Document)] == ["One.", "Two."]
    assert len([f for f in found if isinstance(f, Refused)]) == 1


def test_a_title_above_a_sheet_is_no_head_of_columns_and_a_share_is_a_percentage() -> None:
    book = openpyxl.Workbook()
    for row in (["Votes of July"], ["Town", "Votes", "Share"], ["Veldon", 12410, 0.125]):
        book.active.append(row)
    book.active["C3"].number_format = "0.0%"
    made = io.BytesIO()
    book.save(made)
    assert one("a.xlsx", made.getvalue()).text == "Votes of July\nTown: Veldon; Votes: 12410; Share: 12.5%"


# --- what a text says of itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "day"),
    [
        ("Ann Lee, Chief Reporter\nThu 10 Jul 2025 09.15 BST", "2025-07-10"),
        ("By Ann Lee, CNN\n5 minute read\nPublished 10:00 AM EDT, Thu July 10, 2025", "2025-07-10"),
        ("PUBLISHED THU, JUL 10 2025 11:05 AM EDT\nUPDATED FRI, JUL 11 2025", "2025-07-10"),
        ("July 10, 2025 10:15 am Updated July 11, 2025 8:00 am", "2025-07-10"),
        ("Posted: Jul 10, 2025 / 04:15 PM EDT", "2025-07-10"),
        ("By: Ann Lee July 10, 2025", "2025-07-10"),
        ("LARKHOLM, 10 July 2025", "2025-07-10"),
        ("Issued on: 25/07/2025 - 14:20", "2025-07-25"),
        ("Issued on: 10/07/2025 - 14:20", None),  # July or October
        ("*Ann Lee, 10 July 2025*", "2025-07-10"),
        ("10.07.2025 - 14:30", None),
        ("By Ann Lee\nUpdated 5 minutes ago", None),
        ("By Ann Lee\nBorn 3 March 1961", None),
    ],
)
def test_the_head_of_a_newspapers_article_gives_title_and_day(head: str, day: str | None) -> None:
    found = describe(f"Bridge closed for nine months\n{head}\n\n{STORY[0]}\n\n{STORY[1]}\n")
    assert found.title is not None and found.title.value == "Bridge closed for nine months"
    assert (str(found.published.date) if found.published else None) == day


def test_labels_above_a_text_are_front_matter_though_nothing_sets_them_apart() -> None:
    head = "Headline: Bridge closed\nByline: Ann Lee\nPublished: 10 July 2025\nSource: The Courier\nURL: https://e.example/1"
    body = f"{head}\n\n{STORY[0]}\n"
    found = describe(body)
    told = (found.title, found.author, found.publisher, found.url)
    assert [f.value for f in told if f] == ["Bridge closed", "Ann Lee", "The Courier", "https://e.example/1"]
    assert found.published is not None and str(found.published.date) == "2025-07-10"
    assert [body[s.start : s.end].strip() for s in regions(article(body))] == [STORY[0]]


@pytest.mark.parametrize(
    "head",
    [
        "Minister: We will not close it.\nReporter: Why?",
        "Title: The bridge\nMinister: We will not close it.",
        "Date: unknown\nPlace: Rome",
    ],
)
def test_lines_of_an_interview_or_a_list_are_text(head: str) -> None:
    body = f"{head}\n\n{STORY[0]}\n"
    assert "".join(body[s.start : s.end] for s in regions(article(body))) == body


def test_what_stands_above_each_page_of_a_text_is_no_part_of_it() -> None:
    body = f"Courier Page 1\n{STORY[0]}\n\fCourier Page 2\n{STORY[1]}\n\fCourier Page 3\nResult 1\n{STORY[2]}"
    kept = "".join(body[s.start : s.end] for s in regions(article(body)))
    assert kept.split("\n") == ["", STORY[0], "\f", STORY[1], "\f", "Result 1", STORY[2]]


def test_who_published_it_first_ends_an_article_though_its_file_names_the_publisher() -> None:
    body = f"{STORY[0]}\n\n{STORY[1]}\n\nThe post Bridge closed appeared first on Larkholm Courier."
    (kept,) = regions(article(body, publisher="Larkholm Courier"))
    assert body[kept.start : kept.end].strip() == "\n\n".join(STORY[:2])
