"""Furniture: what a page repeats is no part of its articles, and what an article tells is."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import Settings
from rag.ingest.build import build, fingerprint_of
from rag.ingest.descriptions import describe
from rag.ingest.furniture import learned, regions
from rag.schema import Article, Field, Origin
from rag.store.catalog import Catalog
from tests.fakes import WordEmbedder

TOWNS = ("Larkholm", "Dunmere", "Sorrel", "Veldon", "Tessin", "Ostrava", "Nordvik")


def story(town: str) -> str:
    return (
        f"The council of {town} voted on Tuesday to close its bridge for nine months.\n"
        f"Engineers had found cracks in three of the piers, the mayor of {town} said."
    )


def article(body: str, publisher: str = "Harbour Post", origin: Origin = Origin.METADATA) -> Article:
    return Article("a", "v", "a", body, publisher=Field(publisher, origin) if publisher else None)


def kept(article: Article, shared: frozenset[str] = frozenset()) -> str:
    return "".join(article.body[part.start : part.end] for part in regions(article, shared))


def test_lines_that_a_publisher_repeats_over_articles_are_learned() -> None:
    bodies = [f"Share this\n{story(town)}\nGet our letter every morning" for town in TOWNS[:3]]
    shared = learned([article(body) for body in bodies])
    assert shared == {"Share this", "Get our letter every morning"}
    assert kept(article(bodies[0]), shared).strip() == story(TOWNS[0])
    assert learned([article(body) for body in bodies[:2]]) == frozenset()


def test_a_sentence_is_furniture_only_where_most_articles_have_it() -> None:
    offer = "Subscribe now to read all of our stories for one euro a month."
    background = "The war between the two countries began in the spring of last year."
    bodies = [f"{story(town)}\n{offer}" for town in TOWNS]
    bodies[:3] = [f"{body}\n{background}" for body in bodies[:3]]
    assert learned([article(body) for body in bodies]) == {offer}


def test_versions_of_one_article_share_their_lines_and_teach_nothing() -> None:
    assert (
        learned([article(f"A heading of it\n{story('Dunmere')}\nNumber {n}") for n in range(6)])
        == frozenset()
    )


@pytest.mark.parametrize(
    "foot",
    [
        "Discover more from Harbour Post\nSubscribe to get the latest posts sent to your email.",
        "© 2025 Harbour Post. All rights reserved.",
        "harbour-post.example",
    ],
)
def test_the_publishers_line_at_the_foot_ends_a_single_article(foot: str) -> None:
    body = f"{story('Veldon')}\nNobody was hurt.\n{foot}"
    stated = Article("a", "v", "a", body, publisher=describe(body).publisher)
    assert kept(stated).strip() == f"{story('Veldon')}\nNobody was hurt."


def test_a_name_of_the_publisher_that_the_file_states_is_known_at_the_foot_too() -> None:
    body = f"{story('Veldon')}\nMore from Harbour Post\nSign up"
    assert kept(article(body)).strip() == story("Veldon")
    told = f"{story('Veldon')}\nThe mayor spoke to Harbour Post."
    assert kept(article(told)) == told


def test_a_label_that_stands_in_an_article_again_and_again_is_no_part_of_it() -> None:
    body = f"Advertisement\n{story('Veldon')}\nAdvertisement\nA new dam will be built.\nParty: 5\nParty: 5"
    assert "Advertisement" not in kept(article(body))
    assert kept(article(body)).count("Party: 5") == 2


def test_who_wrote_it_and_when_is_about_the_article_and_not_of_it() -> None:
    body = f"Bridge closed\nBy Ann Lee | July 8, 2025 | 3 min read\nUpdated: 9 July 2025\n\n{story('Veldon')}\n8 July 2025"
    lines = [line for line in kept(article(body, "")).split("\n") if line]
    assert lines == ["Bridge closed", *story("Veldon").split("\n"), "8 July 2025"]


def test_an_article_of_nothing_else_stays() -> None:
    assert kept(article("Share\nShare")) == "Share\nShare"


def test_the_title_stays_though_another_line_repeats_it() -> None:
    body = "Bridge closed\n\n" + story("Sorrel")
    named = Article("a", "v", "a", body, title=describe(body).title)
    assert kept(named, frozenset({"Bridge closed"})) == body


def test_what_was_indexed_before_its_furniture_was_known_is_cut_anew(tmp_path: Path) -> None:
    settings = Settings(seeds=tmp_path / "seeds", index=tmp_path / "index", cache=tmp_path / "cache")
    settings.seeds.mkdir()

    def add(town: str) -> str:
        page = f"<p>Share this</p>{''.join(f'<p>{line}</p>' for line in story(town).splitlines())}"
        head = '<meta property="og:site_name" content="Harbour Post"><title>News</title>'
        name = f"{town}.html"
        (settings.seeds / name).write_text(f"<html><head>{head}</head><body>{page}</body></html>", "utf-8")
        return name

    def chunks() -> dict[str, list[str]]:
        catalog = Catalog(settings.index)
        try:
            return {
                a.id: [c.text for _, c, _ in catalog.lookup(catalog.chunk_ids(a.id))]
                for a in catalog.articles()
            }
        finally:
            catalog.close()

    first, second = add(TOWNS[0]), add(TOWNS[1])
    build(settings, WordEmbedder())
    assert "Share this" in chunks()[first][0]
    third = add(TOWNS[2])
    summary = build(settings, WordEmbedder())
    assert summary.added == (third,) and summary.changed == tuple(sorted((first, second)))
    incremental = chunks()
    assert not any("Share this" in text for texts in incremental.values() for text in texts)
    assert build(settings, WordEmbedder()).is_empty
    fresh = Settings(seeds=settings.seeds, index=tmp_path / "fresh", cache=tmp_path / "cache")
    build(fresh, WordEmbedder())
    settings = fresh
    assert chunks() == incremental
    assert fingerprint_of(settings, WordEmbedder()).chunking.endswith("rules 2")
