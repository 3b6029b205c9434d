"""What is no question to the articles' text: how it is told from one, and what the catalogue answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from rag.answering.intent_forms import Asked, Intent, Recogniser
from rag.answering.intents import MOST_LISTED, SUMMARY_SENTENCES, reply
from rag.answering.render import answer_to_text, turn_of
from rag.assistant import Assistant, never
from rag.codec import answer_to_dict, decode, encode
from rag.config import Settings
from rag.errors import ModelError, StoppedError
from rag.ingest.build import build
from rag.models.embedder import MiniLM
from rag.protocols import Cancel
from rag.schema import (
    EVERY_ARTICLE,
    Answer,
    Article,
    Choice,
    Field,
    Origin,
    PartialDate,
    Published,
    Span,
    State,
    Status,
    Turn,
)
from rag.store.base import Store
from rag.ui.answers import turn_html
from tests.fakes import ScriptedGenerator, SureReader, WordEmbedder

if TYPE_CHECKING:
    from rag.protocols import Vectors

QUESTIONS = Path(__file__).parent.parent.parent / "eval" / "questions.jsonl"


@pytest.fixture(scope="module")
def recogniser(minilm_dir: Path) -> Recogniser:
    return Recogniser(MiniLM(minilm_dir))


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hi", Intent.GREETING),
        ("Hello there!", Intent.GREETING),
        ("Good morning.", Intent.GREETING),
        ("Hey, how are you?", Intent.GREETING),
        ("thanks", Intent.THANKS),
        ("ok thank you", Intent.THANKS),
        ("Thanks a lot, that was very helpful!", Intent.THANKS),
        ("great", Intent.THANKS),
        ("no thanks", Intent.THANKS),
        ("Cheers mate!", Intent.THANKS),
        ("thank you so much, that's exactly what I needed", Intent.THANKS),
        ("No, that's all for now.", Intent.THANKS),
        ("See you later", Intent.THANKS),
        ("Good evening, how's it going?", Intent.GREETING),
        ("What's up?", Intent.GREETING),
        ("Nice to meet you", Intent.GREETING),
        ("Who made you?", Intent.ABILITY),
        ("How does this work?", Intent.ABILITY),
        ("Do you speak German?", Intent.ABILITY),
        ("What else can you tell me?", Intent.ABILITY),
        ("How many articles are in your database?", Intent.COUNT),
        ("number of articles", Intent.COUNT),
        ("Give me the gist of the articles", Intent.LIST),
        ("Can you give me an overview of the corpus?", Intent.LIST),
        ("What period do the articles cover?", Intent.LIST),
        ("Summarise each article in one sentence", Intent.LIST),
        ("List all the headlines", Intent.LIST),
        ("What are your sources?", Intent.PUBLISHERS),
        ("Where do these articles come from?", Intent.PUBLISHERS),
        ("Who wrote these articles?", Intent.AUTHORS),
        ("Who's the author of these articles?", Intent.AUTHORS),
        ("Good afternoon, what are these articles about?", Intent.LIST),
        ("Hi there, what can you do?", Intent.ABILITY),
        ("What's your name?", Intent.ABILITY),
        ("Which model are you?", Intent.ABILITY),
        ("What topics do you cover?", Intent.LIST),
        ("What are the main themes of the articles?", Intent.LIST),
        ("How recent are the articles?", Intent.LIST),
        ("latest news", Intent.LIST),
        ("Give me a list of your sources", Intent.PUBLISHERS),
        ("good job", Intent.THANKS),
        ("List the authors", Intent.AUTHORS),
        ("bye", Intent.THANKS),
        ("???", Intent.ABILITY),
        ("👍", Intent.ABILITY),
        ("Are you a bot?", Intent.ABILITY),
        ("help", Intent.ABILITY),
        ("What can you do?", Intent.ABILITY),
        ("What can I ask?", Intent.ABILITY),
        ("What are these articles about?", Intent.LIST),
        ("what do the articles cover", Intent.LIST),
        ("Summarise the articles.", Intent.LIST),
        ("How many articles do you have?", Intent.COUNT),
        ("Could you tell me how many articles there are in the index?", Intent.COUNT),
        ("Tell me what the articles are about", Intent.LIST),
        ("How many articles are there in the index?", Intent.COUNT),
        ("Which articles are there?", Intent.LIST),
        ("Please list all articles", Intent.LIST),
        ("What are the titles of the articles?", Intent.LIST),
        ("When were these articles published?", Intent.LIST),
        ("Which publishers are there?", Intent.PUBLISHERS),
        ("Wie lange dauerte das Treffen?", Intent.LANGUAGE),
        ("¿Quién es Wang Yi?", Intent.LANGUAGE),
    ],
)
def test_a_question_takes_the_intent_of_the_nearest_example(
    recogniser: Recogniser, text: str, intent: Intent
) -> None:
    assert recogniser.recognise(text) == Asked(intent)


@pytest.mark.parametrize(
    ("text", "intent", "subject"),
    [
        ("How many articles mention Wang Yi?", Intent.MENTIONS, "Wang Yi"),
        ("which articles talk about “500 percent”", Intent.MENTIONS, "“500 percent”"),
        ("Do any of the articles mention Merkel?", Intent.MENTIONS, "Merkel"),
        ("In which articles does Wang Yi appear?", Intent.MENTIONS, "Wang Yi"),
        ("How often is Wang Yi mentioned in the articles?", Intent.MENTIONS, "Wang Yi"),
        ("How often is Wang Yi mentioned?", Intent.MENTIONS, "Wang Yi"),
        ("How many times does Wang Yi appear in the articles?", Intent.MENTIONS, "Wang Yi"),
        ("How many times do the articles mention Wang Yi?", Intent.MENTIONS, "Wang Yi"),
        ("Is Wang Yi mentioned in any of the articles?", Intent.MENTIONS, "Wang Yi"),
        ("Does any article mention Wang Yi?", Intent.MENTIONS, "Wang Yi"),
        ("Count the articles that mention Wang Yi", Intent.MENTIONS, "Wang Yi"),
        ("Find articles mentioning Wang Yi", Intent.MENTIONS, "Wang Yi"),
        ("Show me articles about tariffs", Intent.MENTIONS, "tariffs"),
        ("What articles do you have about tariffs?", Intent.MENTIONS, "tariffs"),
        ("Are there any articles from May?", Intent.LIST, "May"),
        ("Any articles from the BBC?", Intent.LIST, "BBC"),
        ("What was published on 10 July 2025?", Intent.LIST, "10 July 2025"),
        ("When was the article from Reuters published?", Intent.LIST, "Reuters"),
        ("Articles about tariffs", Intent.MENTIONS, "tariffs"),
        ("Is there anything about tariffs?", Intent.MENTIONS, "tariffs"),
        ("Any news on tariffs?", Intent.MENTIONS, "tariffs"),
        ("Does Wang Yi appear in the articles?", Intent.MENTIONS, "Wang Yi"),
        ("articles from July", Intent.LIST, "July"),
        ("Can you summarise the BBC's piece?", Intent.SUMMARY, "BBC"),
        ("Summarise the report by Reuters", Intent.SUMMARY, "Reuters"),
        ("Tell me about the article from Reuters", Intent.SUMMARY, "Reuters"),
        ("What is the article 'Bridge closed' about?", Intent.SUMMARY, "'Bridge closed'"),
        ("What's the most recent one?", Intent.NEWEST, "most recent"),
        ("What is the newest article?", Intent.NEWEST, "newest"),
        ("Which articles are the most recent?", Intent.NEWEST, "most recent"),
        ("When was the oldest article published?", Intent.NEWEST, "oldest"),
        ("Give me the gist of the article from Reuters", Intent.SUMMARY, "Reuters"),
        ("Summary of the article by Reuters", Intent.SUMMARY, "Reuters"),
        ("Which articles are there from the Courier?", Intent.LIST, "Courier"),
        ("How many articles mention the river Turia?", Intent.MENTIONS, "river Turia"),
        ("Which articles mention Turkey’s minister?", Intent.MENTIONS, "Turkey’s minister"),
        ("Which articles mention Ana Ruiz and Omer Kaya?", Intent.MENTIONS, "Ana Ruiz and Omer Kaya"),
        ('Which articles mention "Ana Ruiz and Omer Kaya"?', Intent.MENTIONS, '"Ana Ruiz and Omer Kaya"'),
        ("Which articles are there from 10 July 2025?", Intent.LIST, "10 July 2025"),
        ("List the articles of 2025", Intent.LIST, "2025"),
        ("Summarise flood.txt", Intent.SUMMARY, "flood.txt"),
        ("summarise “Floods hit Valencia”", Intent.SUMMARY, "“Floods hit Valencia”"),
        ("Summarise the articles of July 10", Intent.SUMMARY, "July 10"),
        ("Which articles are about grain?", Intent.MENTIONS, "grain"),
        ("Is there an article about the river Turia?", Intent.MENTIONS, "river Turia"),
        ("Which article mentions Omer Kaya?", Intent.MENTIONS, "Omer Kaya"),
        ("What is the article about?", Intent.SUMMARY, ""),
        ("Summarise the article.", Intent.SUMMARY, ""),
        ("Which articles are of 10 July 2025?", Intent.LIST, "10 July 2025"),
        ("Summarise the article from vietatoparlare.", Intent.SUMMARY, "vietatoparlare"),
        ("Can you summarize vietatoparlare's article, please?", Intent.SUMMARY, "vietatoparlare"),
        ("What is the article by Reuters about?", Intent.SUMMARY, "Reuters"),
    ],
)
def test_what_is_named_is_kept_as_it_was_typed(
    recogniser: Recogniser, text: str, intent: Intent, subject: str
) -> None:
    found = recogniser.recognise(text)
    assert found is not None and (found.intent, found.subject) == (intent, subject)


@pytest.mark.parametrize("subject", ["climate change", "ana ruiz", "bananas", "Wang Yi", "An"])
def test_what_is_asked_to_be_counted_is_counted_also_where_no_article_has_it(
    recogniser: Recogniser, subject: str
) -> None:
    found = recogniser.recognise(f"How many articles mention {subject}?")
    assert found == Asked(Intent.MENTIONS, subject, certain=True)


@pytest.mark.parametrize(
    "text",
    [
        "Who thanked the minister?",
        "What can you do with a drone licence according to the council?",
        "How many articles does the treaty have?",
        "Which articles of the treaty mention slavery?",
        "What are the articles of the constitution about?",
        "Hi, who met Rubio?",
        "Thanks. Who paid?",
        "Is it good?",
        "What did he say, hello or goodbye?",
        "How many articles mention him?",
        "Summarise the meeting in Kuala Lumpur.",
        "Who helped?",
        "How many documents were leaked?",
        "How often is slavery mentioned in the treaty?",
        "How many times does the mayor appear in court?",
        "What is the latest on the talks?",
        "What is the oldest bridge in Larkholm?",
        "Who wrote the treaty?",
        "Where do the documents leaked in May come from?",
        "What is up for sale?",
        "What period does the treaty cover?",
        "Who are the authors of the report?",
        "What was the gist of the speech?",
        "Who appreciated the help?",
        "What article of the treaty mentions slavery?",
        "No",
        "Are you sure?",
        "Putin?",
        "Why?",
    ],
)
def test_a_question_to_the_articles_is_left_to_them(recogniser: Recogniser, text: str) -> None:
    found = recogniser.recognise(text)
    assert found is None or (not found.certain and told(found) is None)


def test_no_question_of_the_evaluation_is_taken_for_anything_else(recogniser: Recogniser) -> None:
    asked = [json.loads(line)["question"] for line in QUESTIONS.read_text("utf-8").splitlines()]
    assert [q for q in asked if recogniser.recognise(q) is not None] == []


# ------------------------------------------------------------------------------------------------ the catalogue

FLOOD = (
    "Floods hit Valencia\n\nThe river Turia rose four metres on Monday. Two bridges fell in the night.\n"
    "Mayor Ana Ruiz said that the evacuation lasted three hours. Ana  Ruiz thanked the army. It left on Friday."
)
TALKS = "Ministers met in Ankara on 3 May 2024 for talks on grain. Turkey's minister Omer Kaya was there."


class Corpus:
    """A store of some articles, none of them indexed."""

    def __init__(self, *articles: Article) -> None:
        self._articles = articles

    def articles(self, limit: int = -1) -> list[Article]:
        return list(self._articles[: limit if limit >= 0 else None])

    def each_article(self) -> Iterator[Article]:
        return iter(self._articles)

    def article_count(self) -> int:
        return len(self._articles)

    def publishers(self) -> list[str]:
        return sorted({a.publisher.value for a in self._articles if a.publisher})


CORPUS = Corpus(
    Article(
        "flood.txt",
        "1",
        "flood.txt",
        FLOOD,
        title=Field("Floods hit Valencia", Origin.STATED, Span(0, 19)),
        publisher=Field("The Courier | News", Origin.SUPPLIED),
        published=Published(PartialDate(2025, 7, 10), Origin.SUPPLIED),
    ),
    Article(
        "talks.txt",
        "2",
        "talks.txt",
        TALKS,
        title=Field("Valencia grain", Origin.METADATA),
        published=Published(PartialDate(month=7, day=10), Origin.SUPPLIED),
    ),
)


def told(
    wanted: Asked, corpus: Corpus = CORPUS, choice: Choice = EVERY_ARTICLE, cancel: Cancel = never
) -> Answer | None:
    return reply("Asked", wanted, cast(Store, corpus), choice, cancel)


def asked(wanted: Asked, choice: Choice = EVERY_ARTICLE) -> Answer:
    """The reply, whose quotations are characters of the articles."""
    answer = told(wanted, CORPUS, choice)
    assert answer is not None
    for item in answer.evidence:
        assert item.article.body[item.start : item.end] == item.text
    assert [s.citations for s in answer.statements] == [(e.number,) for e in answer.evidence]
    assert all(s.state is State.QUOTED for s in answer.statements)
    assert answer.status is (Status.ANSWERED if answer.statements else Status.NOTICE)
    return answer


def quoted(answer: Answer) -> list[str]:
    return [s.text for s in answer.shown]


def test_what_the_articles_are_about_is_told_by_their_titles_publishers_and_dates() -> None:
    answer = asked(Asked(Intent.LIST))
    assert quoted(answer) == ["Floods hit Valencia", TALKS.split(". ")[0] + "."]
    assert answer.note.startswith("There are 2 articles.")
    assert "Titles that the text itself does not contain: Valencia grain." in answer.note
    assert "Publishers: The Courier | News." in answer.note and "2025-07-10, July 10" in answer.note


def test_a_title_that_the_head_of_a_page_gives_is_quoted_where_the_text_has_it() -> None:
    page = Article("a", "1", "a.html", FLOOD, title=Field("Floods hit Valencia", Origin.METADATA))
    answer = told(Asked(Intent.LIST), Corpus(page))
    assert answer is not None and quoted(answer) == ["Floods hit Valencia"] and "outside" not in answer.note


def test_articles_that_have_a_phrase_are_counted_and_listed_with_the_sentence_that_has_it() -> None:
    answer = asked(Asked(Intent.MENTIONS, "ana ruiz"))
    assert answer.note == "“ana ruiz” is in 1 of 2 articles, 2 times in all: Floods hit Valencia."
    assert quoted(answer) == ["Mayor Ana Ruiz said that the evacuation lasted three hours."]
    assert asked(Asked(Intent.MENTIONS, "Ana")).note.startswith("“Ana” is in 1 of 2 articles, 2 times")
    assert asked(Asked(Intent.MENTIONS, "An")).note == "“An” is in none of the 2 articles."
    title = asked(Asked(Intent.MENTIONS, "Valencia"))  # the second has it in a title outside its text
    assert title.note.startswith("“Valencia” is in 2 of 2 articles, 2 times in all:")
    assert quoted(title)[1].startswith("Ministers met")
    curly = asked(Asked(Intent.MENTIONS, "Turkey’s minister"))
    assert quoted(curly) == ["Turkey's minister Omer Kaya was there."]


def test_two_names_are_looked_for_together_or_one_of_them() -> None:
    assert "in none of the 2" in asked(Asked(Intent.MENTIONS, "Ana Ruiz and Omer Kaya")).note
    either = asked(Asked(Intent.MENTIONS, "Ana Ruiz or Omer Kaya"))
    assert either.note.startswith("“Ana Ruiz” or “Omer Kaya” is in 2 of 2 articles, 3 times")
    assert len(quoted(asked(Asked(Intent.MENTIONS, "the river and the army")))) == 2
    assert (
        "“Ana Ruiz and Omer Kaya” is in none"
        in asked(Asked(Intent.MENTIONS, '"Ana Ruiz and Omer Kaya"')).note
    )


def test_articles_are_listed_by_publisher_and_by_date() -> None:
    assert quoted(asked(Asked(Intent.LIST, "the Courier"))) == ["Floods hit Valencia"]
    assert len(quoted(asked(Asked(Intent.LIST, "10 July 2025")))) == 2
    assert quoted(asked(Asked(Intent.LIST, "2025", False))) == ["Floods hit Valencia"]
    unknown = asked(Asked(Intent.LIST, "the BBC"))
    assert unknown.note == (
        "No article here is known to be from “BBC”. Publishers named: The Courier | News."
    )
    assert told(Asked(Intent.LIST, "the constitution", False)) is None


def test_the_newest_and_the_oldest_article_are_those_of_the_last_and_the_first_day() -> None:
    older = Article("a", "1", "a.txt", TALKS, published=Published(PartialDate(2024, 5, 4), Origin.STATED))
    corpus = Corpus(*CORPUS.articles(), older)
    newest, oldest = (
        told(Asked(Intent.NEWEST, "latest"), corpus),
        told(Asked(Intent.NEWEST, "oldest"), corpus),
    )
    assert newest is not None and newest.note == "The latest article is dated 2025-07-10."
    assert quoted(newest) == ["Floods hit Valencia"]
    assert oldest is not None and oldest.note == "The oldest article is dated 2024-05-04."
    summary = told(Asked(Intent.SUMMARY, "oldest", False), corpus)
    assert summary is not None and quoted(summary)[0].startswith("Ministers met in Ankara")
    unknown = told(Asked(Intent.NEWEST, "newest"), Corpus(CORPUS.articles()[1]))
    assert unknown is not None and unknown.note == "No article here states the day it was published."


def test_who_wrote_the_articles_is_told_by_name() -> None:
    assert asked(Asked(Intent.AUTHORS)).note == "No article names its author."
    named = Article("a", "1", "a.txt", TALKS, author=Field("Ann Lee", Origin.STATED))
    answer = told(Asked(Intent.AUTHORS), Corpus(named))
    assert answer is not None and answer.note == "The articles name 1 author: Ann Lee."


def test_an_article_is_summarised_by_its_first_sentences() -> None:
    answer = asked(Asked(Intent.SUMMARY, "the Courier"))
    assert (
        quoted(answer)
        == [
            "The river Turia rose four metres on Monday.",
            "Two bridges fell in the night.",
            "Mayor Ana Ruiz said that the evacuation lasted three hours.",
        ][:SUMMARY_SENTENCES]
    )
    for other in (
        Asked(Intent.SUMMARY, "flood.txt", False),
        Asked(Intent.SUMMARY, "“Floods hit Valencia”", False),
        Asked(Intent.SUMMARY, "Courier", False),
    ):
        assert quoted(asked(other)) == quoted(answer)
    assert len(quoted(asked(Asked(Intent.SUMMARY, "July 10", False)))) == 2
    assert told(Asked(Intent.SUMMARY, "river", False)) is None
    assert "No article here" in asked(Asked(Intent.SUMMARY, "Reuters")).note


def test_a_topic_that_no_article_names_is_left_to_the_articles() -> None:
    assert quoted(asked(Asked(Intent.MENTIONS, "grain", False))) == [TALKS.split(". ")[0] + "."]
    assert quoted(asked(Asked(Intent.MENTIONS, "the river Turia", False))) == [
        "The river Turia rose four metres on Monday."
    ]
    assert asked(Asked(Intent.MENTIONS, "Omer Kaya", False)).note.startswith(
        "“Omer Kaya” is in 1 of 2 articles"
    )
    for unknown in (
        Asked(Intent.MENTIONS, "inflation", False),
        Asked(Intent.MENTIONS, "freedom of speech", False),
    ):
        assert told(unknown) is None


def test_the_article_is_the_only_one_there_is() -> None:
    assert told(Asked(Intent.SUMMARY, "", False)) is None
    one = told(Asked(Intent.SUMMARY, "", False), Corpus(*CORPUS.articles(1)))
    assert one is not None and quoted(one)[0] == "The river Turia rose four metres on Monday."


def test_only_what_the_reader_chose_is_counted() -> None:
    choice = Choice(publishers=("The Courier | News",))
    assert asked(Asked(Intent.COUNT), choice).note == (
        "There is 1 article. Only articles published by The Courier | News were read, as set under Settings."
    )
    assert quoted(asked(Asked(Intent.LIST), choice)) == ["Floods hit Valencia"]


def test_many_articles_are_counted_and_the_first_are_quoted() -> None:
    many = Corpus(
        *(Article(f"{n:03}", "1", f"{n:03}.txt", f"The fair of town {n} opens.") for n in range(100))
    )
    answer = told(Asked(Intent.MENTIONS, "the fair"), many)
    assert answer is not None and len(answer.shown) == MOST_LISTED
    assert f"in 100 of 100 articles, 100 times in all; the first {MOST_LISTED}:" in answer.note
    listed = told(Asked(Intent.LIST), many)
    assert (
        listed is not None and "There are 100 articles." in listed.note and len(listed.shown) == MOST_LISTED
    )
    with pytest.raises(StoppedError):
        told(Asked(Intent.MENTIONS, "the fair"), many, cancel=lambda: True)


@pytest.mark.parametrize("intent", [Intent.GREETING, Intent.THANKS, Intent.ABILITY, Intent.COUNT])
def test_a_notice_is_shown_everywhere_without_a_citation(intent: Intent) -> None:
    answer = asked(Asked(intent))
    assert answer.status is Status.NOTICE and answer.final and not answer.evidence and not answer.closest
    assert answer.note in answer_to_text(answer) and answer_to_dict(answer)["status"] == "notice"
    assert answer.note in turn_html(0, answer) and "cw-notice" in turn_html(0, answer)
    assert decode(*encode(answer)) == answer


# ------------------------------------------------------------------------------------------------- the assistant


def test_the_assistant_answers_from_the_catalogue_and_what_follows_refers_to_what_was_before(
    tmp_path: Path,
) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "flood.txt").write_text(FLOOD, "utf-8")
    settings = Settings(seeds=tmp_path / "seeds", index=tmp_path / "index")
    build(settings, WordEmbedder())
    generator = ScriptedGenerator("How long did the evacuation of Valencia last?")
    assistant = Assistant(settings, WordEmbedder(), SureReader(), generator)
    first = Turn("Was Valencia evacuated?", "Was Valencia evacuated?", "The evacuation lasted three hours.")
    thanked = assistant.ask("thanks", [first])
    assert thanked.status is Status.NOTICE and not thanked.evidence and not generator.prompts
    assert thanked.timings.total_s is not None
    with closing(assistant.stream("And how long did it last?", [first, turn_of(thanked)])) as answers:
        next(answers)
    assert "Was Valencia evacuated?" in generator.prompts[0] and "thanks" not in generator.prompts[0]
    counted = assistant.ask("How many articles mention Ana Ruiz?")
    assert counted.status is Status.ANSWERED and "in 1 of 1 article, 2 times" in counted.note
    assistant.close()


def test_only_what_has_nothing_to_refer_to_is_left_out_of_a_conversation(recogniser: Recogniser) -> None:
    for aside in ("thanks", "hi", "How many articles do you have?"):
        assert recogniser.is_aside(aside)
    for other in ("How many articles mention Wang Yi?", "Who met Rubio?", "Why?"):
        assert not recogniser.is_aside(other)


def test_a_question_that_shares_no_word_with_an_example_is_not_embedded() -> None:
    embedder = WordEmbedder()
    assert Recogniser(embedder).recognise("Why did the bridge collapse?") is None and not embedder.encoded


def test_a_question_goes_to_the_articles_where_nothing_can_embed_it() -> None:
    class Missing(WordEmbedder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            raise ModelError("the embedding model is missing")

    assert Recogniser(Missing()).recognise("Which articles are there?") is None
    assert Recogniser(Missing()).recognise("thanks") == Asked(Intent.THANKS)
