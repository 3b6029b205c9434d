"""Answers as HTML: one question with its answer, and the open conversation. It knows nothing of Gradio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from markupsafe import Markup

from rag.answering.question import names
from rag.answering.render import answer_to_text, disagreement_parts, in_short, statement_words
from rag.schema import Answer, Article, State
from rag.text.sentences import sentences
from rag.text.words import plain
from rag.ui.rendering import marked, render

EXAMPLES = 4
EXAMPLE_ARTICLES = 50  # enough for four questions
_NO_CHANGES: Mapping[int, str] = MappingProxyType({})


def turn_html(
    turn: int, answer: Answer, questions: Sequence[str] = (), since: str = "", report: bool = False
) -> str:
    """One question and its answer so far.

    `questions` are offered after a refusal. `since` tells what has become of the cited articles. With `report` the reader
    can say that the answer is wrong. Withheld statements are counted, never shown.
    """
    shown = [s for s in answer.statements if s.state is not State.WITHHELD]
    copied = [answer.question, "", *answer_to_text(answer).split("\n")] if answer.final else []
    return render(
        "turn.html",
        turn=turn,
        answer=answer,
        since=since,
        questions=questions,
        report=report,
        lines=[(s, marked(plain(s.text), statement_words(answer, s)), in_short(answer, s)) for s in shown],
        withheld=len(answer.statements) - len(shown),
        said=disagreement_parts(answer),
        copy="\n".join(map(plain, copied)),
    )


def conversation_html(
    turns: Sequence[Answer],
    waiting: str,
    questions: Sequence[str],
    ahead: int = 0,
    since: Mapping[int, str] = _NO_CHANGES,
    report: bool = False,
) -> str:
    """The open conversation, or example questions before its first one.

    `waiting` is a question that waits for `ahead` others, "" when there is none. `since` tells by turn number what has
    become of the articles that the turn cites.
    """
    last = len(turns) - 1
    shown = [
        Markup(turn_html(n, a, questions if n == last else (), since.get(n, ""), report))
        for n, a in enumerate(turns)
    ]
    return render("conversation.html", turns=shown, waiting=waiting, ahead=ahead, questions=questions)


def examples(articles: Sequence[Article]) -> list[str]:
    """Example questions about the first articles: about the names in most of them, then about titles.

    Same input, same output.
    """
    first = articles[:EXAMPLE_ARTICLES]
    seen: Counter[str] = Counter()
    for article in first:
        named = {n for s in sentences(article.body) for n in names(article.body[s.start : s.end])}
        seen.update(n for n in named if n.count(" ") and len(n) < 40)
    common = [name for name, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))][:2]
    asked = [f"What is said about {name}?" for name in common]
    titles = [f"What does “{plain(a.title.value)}” say?" for a in first if a.title]
    return (asked + titles)[:EXAMPLES]
