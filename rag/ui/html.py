"""HTML: answers, sources and articles as pieces of the page. Knows values and how to show them, not how they were made.

Every piece of text goes through `esc`: nothing that a model or an article wrote is read as HTML or Markdown.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType

from rag.answering.freshness import Freshness
from rag.answering.question import names
from rag.answering.render import (
    answer_to_text,
    cited_numbers,
    disagreement_parts,
    in_short,
    in_words,
    statement_words,
    words_at,
)
from rag.ingest.library import Item
from rag.ingest.library import State as Work
from rag.schema import Answer, Article, Disagreement, Evidence, Origin, Span, State, Statement, Status
from rag.text.sentences import sentences
from rag.text.words import plain
from rag.ui.quality import Figure, Report
from rag.ui.sessions import Listed

EXAMPLES = 4
EXAMPLE_ARTICLES = 50  # enough for four questions
MOST_REASONS = 20  # of files that were not read, shown at once
OPENING_CHARS = 72  # shown for a title where an article states none: one line


def esc(text: str) -> str:
    """Text for an HTML body or a double-quoted attribute: on one line, nothing invisible, nothing that is markup."""
    return html.escape(plain(text))


def _split(text: str, words: Span | None) -> tuple[str, str, str]:
    """`text`, as `plain` gives it, before, in and after `words`, each escaped; all of it before where there are none."""
    span = words or Span(len(text), len(text))
    return (
        html.escape(text[: span.start]),
        html.escape(text[span.start : span.end]),
        html.escape(text[span.end :]),
    )


def _with_words(text: str, words: Span | None) -> str:
    """`text`, as `plain` gives it, with the words that answer marked."""
    before, answer, after = _split(text, words)
    return f"{before}<mark>{answer}</mark>{after}" if answer else before


def _sentence(item: Evidence, is_cited: bool) -> str:
    """The sentence of evidence; the words that answer are marked only where it is cited."""
    text = plain(item.text)
    return _with_words(text, words_at(item, text) if is_cited else None)


def _title(article: Article) -> str:
    """The title; of an article that states none, its opening words."""
    if article.title:
        return esc(article.title.value)
    opening = plain(article.body[:200])
    cut = opening[:OPENING_CHARS].rsplit(" ", 1)[0] if len(opening) > OPENING_CHARS else opening
    return f"{html.escape(cut)}…" if cut else esc(article.path)


def _publisher(article: Article) -> str:
    return esc(article.publisher.value) if article.publisher else "Publisher unknown"


def _date(article: Article) -> str:
    return esc(article.day)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _chip(turn: int, item: Evidence, is_cited: bool = True) -> str:
    """A citation: a click opens the sentence in its article, hover or focus shows it."""
    article, text = item.article, plain(item.text)
    source = f"{_publisher(article)}, {_date(article)}"
    before, words, after = _split(text, words_at(item, text) if is_cited else None)
    return (
        f'<button type="button" class="cw-chip" data-do="open" data-turn="{turn}" data-n="{item.number}" '
        f'data-before="{before}" data-words="{words}" data-after="{after}" '
        f'data-title="{_title(article)}" data-source="{source}" '
        f'aria-label="Source {item.number}: {source}. Open the sentence.">{item.number}</button>'
    )


def _chips(turn: int, answer: Answer, numbers: Sequence[int]) -> str:
    by_number = {e.number: e for e in answer.evidence}
    return "".join(_chip(turn, by_number[n]) for n in numbers if n in by_number)


def _statement(turn: int, answer: Answer, statement: Statement) -> str:
    text = _with_words(plain(statement.text), statement_words(answer, statement))
    chips = _chips(turn, answer, statement.citations)
    if statement.state is State.CHECKING:
        return f'<p class="cw-s cw-checking"><span>{text}</span> <em>checking…</em></p>'
    steps = statement.verdict.derivation if statement.verdict else ()
    how = f"<small>{esc('; '.join(steps))}</small>" if steps else ""
    if statement.state is State.QUOTED:
        return f'<p class="cw-s cw-quoted"><em>Quoted</em><q>{text}</q>&nbsp;{chips}{how}</p>'
    label = f"<b>{in_short(answer, statement).strip()}</b> " if in_short(answer, statement) else ""
    return f'<p class="cw-s">{label}{text}&nbsp;{chips}{how}</p>'


def _disagreement(turn: int, answer: Answer, found: Disagreement) -> str:
    by_number = {e.number: e for e in answer.evidence}
    rows = []
    for value in found.values:
        sources = [by_number[n] for n in value.citations if n in by_number]
        newest = " · newest" if value.newest and not all(v.newest for v in found.values) else ""
        articles = "article" if value.origins == 1 else "articles"
        for place, item in enumerate(sources):
            head = (
                f'<th scope="rowgroup" rowspan="{len(sources)}">{esc(value.text)}'
                f"<small>{in_words(value.origins)} {articles}{newest}</small></th>"
            )
            rows.append(
                f"<tr>{head if place == 0 else ''}<td>{_publisher(item.article)}</td><td>{_date(item.article)}</td>"
                f"<td><q>{_sentence(item, True)}</q>&nbsp;{_chip(turn, item)}</td></tr>"
            )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Value", "Publisher", "Date", "Sentence"))
    said = "; ".join(
        f"{esc(p.who)} <b>{esc(p.what)}</b>{p.newest}&nbsp;{_chips(turn, answer, p.citations)}"
        for p in disagreement_parts(answer)
    )
    return (
        '<section class="cw-disagree"><h3>The articles disagree</h3>'
        f'<p>{said}.</p><div class="cw-scroll"><table class="cw-table">'
        f'<caption class="cw-hidden">Who says what about: {esc(found.about)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _closest(turn: int, answer: Answer) -> str:
    items = "".join(
        f"<li><q>{esc(e.text)}</q>&nbsp;{_chip(turn, e, is_cited=False)}<small>{_publisher(e.article)} · {_date(e.article)}</small></li>"
        for e in answer.closest
    )
    return f'<section class="cw-closest"><h3>Closest sentences</h3><ul>{items}</ul></section>'


def _suggestions(questions: Sequence[str], label: str) -> str:
    buttons = "".join(
        f'<button type="button" class="cw-ask" data-do="ask" data-q="{esc(q)}">{esc(q)}</button>'
        for q in questions
    )
    return f'<section class="cw-try"><h3>{label}</h3><div>{buttons}</div></section>' if questions else ""


def _progress(answer: Answer) -> str:
    if not answer.evidence:
        return "Searching the articles"
    if not answer.statements:
        return "Reading the sources"
    return "Writing and checking"


def _footer(turn: int, answer: Answer, report: bool) -> str:
    parts = []
    withheld = sum(s.state is State.WITHHELD for s in answer.statements)
    if withheld:
        parts.append(f'<span class="cw-withheld">{_count(withheld, "statement")} withheld</span>')
    if not answer.final:
        parts.append(f'<span class="cw-busy" role="status">{_progress(answer)}</span>')
    if answer.timings.total_s is not None:
        parts.append(f"<span>{answer.timings.total_s:.1f} s</span>")
    if answer.final and answer.generator:
        parts.append(f"<span>{esc(answer.generator)}</span>")
    if answer.evidence:
        label = f"Show the {_count(len(answer.evidence), 'sentence')} that were read"
        parts.append(
            f'<button type="button" data-do="sources" data-turn="{turn}" aria-label="{label}">Sources</button>'
        )
    if answer.final:
        lines = [answer.question, "", *answer_to_text(answer).split("\n")]
        copy = "\n".join(esc(line) for line in lines)
        parts.append(f'<button type="button" data-do="copy" data-copy="{copy}">Copy</button>')
        parts.append(
            f'<button type="button" data-do="ask" data-q="{esc(answer.question)}">Ask again</button>'
            f'<button type="button" data-do="edit" data-q="{esc(answer.question)}">Edit</button>'
        )
        if report:
            parts.append(f'<button type="button" data-do="wrong" data-turn="{turn}">Not right?</button>')
    return f"<footer>{''.join(parts)}</footer>"


def turn_html(
    turn: int, answer: Answer, questions: Sequence[str] = (), since: str = "", report: bool = False
) -> str:
    """One question and what is known of its answer; `since` tells what became of the articles it cites; with `report` a
    reader may say that it is wrong. Statements that were withheld are counted, never shown."""
    parts = [f'<h2 class="cw-q">{esc(answer.question)}</h2>']
    if plain(answer.as_understood) != plain(answer.question):
        parts.append(f'<p class="cw-understood"><b>Understood as:</b> {esc(answer.as_understood)}</p>')
    note = [f'<p class="cw-note">{esc(answer.note)}</p>'] if answer.note else []
    if not answer.disagreement:
        parts += note
    if since:
        parts.append(f'<p class="cw-note cw-since">{esc(since)}</p>')
    shown = [s for s in answer.statements if s.state is not State.WITHHELD]
    parts += [_statement(turn, answer, s) for s in shown]
    if answer.status is Status.FAILED:
        parts.append(f'<p class="cw-alert" role="alert">{esc(answer.error)}</p>')
    if answer.status is Status.STOPPED:
        parts.append('<p class="cw-missing">Stopped.</p>')
    if answer.missing:
        parts.append(f'<p class="cw-missing">{esc(answer.missing)}</p>')
    if answer.disagreement:
        parts += [_disagreement(turn, answer, answer.disagreement), *note]
    if answer.closest:
        parts.append(_closest(turn, answer))
    if answer.status is Status.UNANSWERED:
        parts.append(_suggestions(questions, "Questions to try"))
    parts.append(_footer(turn, answer, report))
    busy = "false" if answer.final else "true"  # a screen reader waits for the settled text
    return f'<article class="cw-turn cw-{answer.status.value}" aria-busy="{busy}">{"".join(parts)}</article>'


def _waiting(question: str, ahead: int) -> str:
    words = f"Waiting: {_count(ahead, 'question')} before yours" if ahead else "Searching the articles"
    return (
        f'<article class="cw-turn" aria-busy="true"><h2 class="cw-q">{esc(question)}</h2>'
        f'<footer><span class="cw-busy" role="status">{words}</span></footer></article>'
    )


def talk_html(
    turns: Sequence[Answer],
    waiting: str,
    questions: Sequence[str],
    ahead: int = 0,
    since: Mapping[int, str] = MappingProxyType({}),
    report: bool = False,
) -> str:
    """The conversation; before its first question, what can be asked. `waiting`: a question that `ahead` others keep
    waiting, "" when there is none; `since`: what became of the articles of a turn, by its number."""
    last = len(turns) - 1
    shown = [
        turn_html(n, a, questions if n == last else (), since.get(n, ""), report) for n, a in enumerate(turns)
    ]
    if waiting:
        shown.append(_waiting(waiting, ahead))
    if not shown:
        shown = [
            '<div class="cw-hello"><h1>Ask the articles</h1><p>Every sentence of an answer is checked against the '
            "line it cites. Click a number to read that line where it stands.</p>"
            "<p>Articles and questions are read in English.</p>"
            f"{_suggestions(questions, 'For example')}</div>"
        ]
    return f'<div class="cw-log" role="log" aria-label="Conversation" tabindex="0">{"".join(shown)}</div>'


def _card(turn: int, item: Evidence, is_cited: bool) -> str:
    article = item.article
    return (
        f'<li><button type="button" class="cw-card" data-do="open" data-turn="{turn}" data-n="{item.number}">'
        f'<span class="cw-n"><span class="cw-hidden">Source </span>{item.number}</span>'
        f'<span class="cw-from">{_publisher(article)} · {_date(article)}</span>'
        f'<span class="cw-title">{_title(article)}</span><q>{_sentence(item, is_cited)}</q></button></li>'
    )


def sources_html(turn: int, answer: Answer) -> str:
    """The side panel: the sentences that were read for an answer, the cited ones first."""
    cited = cited_numbers(answer) if answer.final else set()
    groups = [
        ("Cited", [e for e in answer.evidence if e.number in cited]),
        (
            "Also read" if cited else "Read for this answer",
            [e for e in answer.evidence if e.number not in cited],
        ),
    ]
    body = "".join(
        f"<h3>{name}</h3><ol>{''.join(_card(turn, e, e.number in cited) for e in items)}</ol>"
        for name, items in groups
        if items
    )
    articles = len({e.article.id for e in answer.evidence})
    counts = f"{_count(len(answer.evidence), 'sentence')} from {_count(articles, 'article')}"
    return (
        f'<section class="cw-sources" data-view="sources {turn}" aria-label="Sources"><header><h2 tabindex="-1">Sources</h2>'
        f"<small>{counts}</small></header>{body}</section>"
    )


EMPTY_PANEL = (
    '<section class="cw-sources cw-none" aria-label="Sources"><header><h2 tabindex="-1">Sources</h2></header>'
    "<p>The sentences that an answer rests on appear here.</p></section>"
)


def _piece(text: str) -> str:
    """A piece of a line: escaped, its outer spaces kept as one space each."""
    inner = esc(text)
    if not inner:
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{inner}{' ' if text[-1].isspace() else ''}"


def _answering(body: str, low: int, high: int, words: Span | None) -> str:
    """`body[low:high]`, what of `words` lies in it marked."""
    if words is None or max(words.start, low) >= min(words.end, high):
        return _piece(body[low:high])
    start, end = max(words.start, low), min(words.end, high)
    return f"{_piece(body[low:start])}<mark>{_piece(body[start:end])}</mark>{_piece(body[end:high])}"


def _marked(body: str, items: Sequence[Evidence], cited: Set[int], target: int) -> str:
    """The article as paragraphs, one a line, the sentences marked with their numbers, and in the cited ones the words that
    answer."""
    paragraphs = []
    start = 0
    for line in body.splitlines(keepends=True):
        end = start + len(line)
        pieces, at = [], start
        for item in items:
            low, high = max(item.start, at), min(item.end, end)
            if low >= high:
                continue
            hit = ' class="cw-hit" tabindex="-1"' if item.number == target else ""
            label = f'<span class="cw-hidden">Source </span>{item.number}<span class="cw-hidden">: </span>'
            words = item.answer if item.number in cited else None
            inner = _answering(body, low, high, words)
            pieces.append(f"{_piece(body[at:low])}<mark{hit}><sup>{label}</sup>{inner}</mark>")
            at = high
        pieces.append(_piece(body[at:end]))
        text = "".join(pieces).strip()
        if text:
            paragraphs.append(f"<p>{text}</p>")
        start = end
    return "".join(paragraphs)


def article_html(turn: int, answer: Answer, number: int) -> str:
    """The side panel: the article of evidence `number`, that sentence highlighted, other cited ones marked.

    An unknown number gives the list of sources.
    """
    known = {e.number: e for e in (*answer.closest, *answer.evidence)}
    item = known.get(number)
    if item is None:
        return sources_html(turn, answer)
    article = item.article
    cited = cited_numbers(answer)
    wanted = {number} | (cited or {e.number for e in answer.closest})
    shown = [e for n, e in known.items() if n in wanted and e.article == article]
    shown.sort(key=lambda e: (e.start, e.end, e.number))
    place = f"<span>{esc(article.place.value)}</span>" if article.place else ""
    supplied = article.publisher is not None and article.publisher.origin is Origin.SUPPLIED
    return (
        f'<section class="cw-article" data-view="article {turn} {number}" aria-label="Article"><header><button type="button" data-do="sources" '
        f'data-turn="{turn}" class="cw-back">← All sources</button>'
        f'<h2 tabindex="-1">{_title(article) if article.title else "Untitled article"}</h2><p><span>{_publisher(article)}{" (from a file beside it)" if supplied else ""}'
        f"</span><span>{_date(article)}</span>{place}</p></header>"
        f'<div class="cw-body">{_marked(article.body, shown, cited, number)}</div>'
        f"<footer>{esc(article.path)}, characters {item.start}–{item.end}</footer></section>"
    )


def examples(articles: Sequence[Article]) -> list[str]:
    """Questions to begin with, of the first articles: on the names that most of them speak of, then on titles.

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


# --- the articles tab --------------------------------------------------------------------------------------------


def _work(state: Work) -> str:
    """What is being done to the articles, or what was done last."""
    parts = []
    if state.busy:
        words = state.busy
        if state.total:
            words += f", {state.done} of {state.total}"
        if state.left_s is not None and state.left_s >= 1:
            words += f", about {state.left_s:.0f} s left"
        share = f' value="{state.done}" max="{state.total}"' if state.total else ""
        parts.append(
            f'<p class="cw-busy" role="status">{esc(words)}</p><progress{share} aria-label="Progress"></progress>'
        )
    if state.error:
        parts.append(f'<p class="cw-alert" role="alert">{esc(state.error)}</p>')
    if state.removed:
        buttons = "".join(
            f'<p class="cw-done" role="status">Removed: {esc(i)}. Its file stays where it is. '
            f'<button type="button" data-do="restore" data-id="{esc(i)}">Undo</button></p>'
            for i in state.removed
        )
        parts.append(buttons)
    if state.summary:
        told = [
            _count(len(ids), "article") + f" {what}"
            for what, ids in (
                ("added", state.summary.added),
                ("changed", state.summary.changed),
                ("removed", state.summary.removed),
                ("renamed", state.summary.renamed),
            )
            if ids
        ]
        done = ", ".join(told) or "Nothing is new"
        parts.append(f'<p class="cw-done" role="status">{done} ({state.summary.seconds:.1f} s).</p>')
    reasons = [*state.refused, *(s.reason for s in (state.summary.skipped if state.summary else ()))]
    if reasons:
        items = "".join(f"<li>{esc(reason)}</li>" for reason in reasons[:MOST_REASONS])
        more = f"<li>and {len(reasons) - MOST_REASONS} more</li>" if len(reasons) > MOST_REASONS else ""
        parts.append(f'<section class="cw-skipped"><h3>Not read</h3><ul>{items}{more}</ul></section>')
    return "".join(parts)


def _item(item: Item) -> str:
    title = esc(item.title or item.path)
    facts = [
        esc(item.publisher) if item.publisher else "Publisher unknown",
        esc(item.date) if item.date else "date unknown",
        _count(item.chunks, "passage"),
        f"the same report as {esc(item.copy_of)}" if item.copy_of else "ready",
    ]
    return (
        f'<li class="cw-item"><b>{title}</b><small>{" · ".join(facts)}</small><small>{esc(item.path)}</small>'
        f'<button type="button" data-do="remove" data-id="{esc(item.id)}" aria-label="Remove {title}">Remove</button></li>'
    )


def shelf_html(items: Sequence[Item], total: int, query: str, state: Work) -> str:
    """The articles, what is being done to them, and what could not be read."""
    shown = f"{len(items)} of {_count(total, 'article')}" if len(items) < total else _count(total, "article")
    if query and not items:
        shown = "no article has these words"
    listed = "".join(_item(i) for i in items)
    return (
        f'<section class="cw-sources cw-shelf" data-view="articles" aria-label="Articles">'
        f'<header><h2 tabindex="-1">Articles</h2><small>{shown}</small></header>{_work(state)}<ul>{listed}</ul></section>'
    )


# --- the conversations tab ---------------------------------------------------------------------------------------


def since_text(found: Mapping[str, Freshness]) -> str:
    """What became of cited articles, in words; "" when all are as they were."""
    words = {
        Freshness.CHANGED: "has changed since, and still says what is cited",
        Freshness.REWORDED: "has changed since, and does not say what is cited any more",
        Freshness.GONE: "is not among the articles any more",
    }
    told = [f"{plain(id_)} {words[state]}" for id_, state in found.items() if state in words]
    return f"Cited as it was then: {'; '.join(told)}." if told else ""


def conversations_html(listed: Sequence[Listed], current: str, save: tuple[str, str] = ("", "")) -> str:
    """The kept conversations; `save` is (file name, text) of one that the browser is to save."""
    items = []
    for item in listed:
        here = ' aria-current="true"' if item.id == current else ""
        acts = "".join(
            f'<button type="button" data-do="{do}" data-id="{esc(item.id)}" aria-label="{label}: {esc(item.title)}">{label}</button>'
            for do, label in (
                ("open", "Open"),
                ("markdown", "Save as Markdown"),
                ("json", "Save as JSON"),
                ("delete", "Delete"),
            )
        )
        items.append(
            f'<li class="cw-item cw-kept"{here}><b>{esc(item.title)}</b><small>{_count(item.turns, "answer")} · '
            f"{esc(item.changed.replace('T', ' ')[:16])}</small><div>{acts}</div></li>"
        )
    body = (
        f"<ul>{''.join(items)}</ul>"
        if items
        else "<p>Your questions and their answers are kept here, on this machine.</p>"
    )
    file = f' data-file="{esc(save[0])}" data-text="{html.escape(save[1])}"' if save[0] else ""
    return (
        f'<section class="cw-sources cw-shelf cw-none" data-view="conversations" aria-label="Conversations"{file}>'
        f'<header><h2 tabindex="-1">Conversations</h2><small>{_count(len(listed), "conversation")}</small></header>{body}</section>'
    )


# --- the trust tab -----------------------------------------------------------------------------------------------

_WIDE, _HIGH = 320, 180  # of the curve, in its own units


def _number(figure: Figure, value: float) -> str:
    return f"{value:.2f}" if figure.unit == "share" else f"{value:.1f} {figure.unit}"


def _row(figure: Figure) -> str:
    bar = ""
    if figure.unit == "share":
        bar = (
            f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" class="cw-bar8" aria-hidden="true"><rect width="100" height="8" rx="2"/>'
            f'<rect x="{figure.low * 100:.1f}" width="{max(0.5, (figure.high - figure.low) * 100):.1f}" height="8" class="cw-range"/>'
            f'<rect x="{max(0.0, figure.value * 100 - 0.6):.1f}" width="1.2" height="8" class="cw-point"/></svg>'
        )
    return (
        f'<tr><th scope="row">{esc(figure.name)}</th><td>{_number(figure, figure.value)}</td>'
        f"<td>{_number(figure, figure.low)}–{_number(figure, figure.high)} ({figure.n}){bar}</td></tr>"
    )


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Share right of those answered, by the share answered, the surest first."""
    if len(points) < 2:
        return ""
    path = " ".join(f"{40 + x * (_WIDE - 50):.1f},{10 + (1 - y) * (_HIGH - 40):.1f}" for x, y in points)
    return (
        f'<figure><svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="Share right of those answered, by the share answered">'
        f'<path d="M40 10V{_HIGH - 30}H{_WIDE - 10}" class="cw-axis"/><polyline points="{path}" class="cw-line"/>'
        f'<text x="34" y="16" text-anchor="end">1</text><text x="34" y="{_HIGH - 28}" text-anchor="end">0</text>'
        f'<text x="40" y="{_HIGH - 14}">0</text><text x="{_WIDE - 10}" y="{_HIGH - 14}" text-anchor="end">all answered</text></svg>'
        "<figcaption>Share of right answers, when only the surest are given</figcaption></figure>"
    )


def trust_html(report: Report | None) -> str:
    """How true the answers were when they were measured last."""
    head = '<section class="cw-sources cw-trust" data-view="trust" aria-label="Trust"><header><h2 tabindex="-1">Trust</h2></header>'
    if report is None:
        return (
            f"{head}<p>Not measured here yet. <code>make eval</code> asks questions whose answers are known, over these "
            "articles, and shows here how often the answers were right.</p></section>"
        )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("Measure", "Value", "95 % interval (questions)")
    )
    tables = "".join(
        f'<h3>{name}</h3><div class="cw-scroll"><table class="cw-table"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(_row(f) for f in figures)}</tbody></table></div>"
        for name, figures in (("Main figures", report.figures), ("Right, by kind of question", report.kinds))
        if figures
    )
    worst = "".join(
        f"<li><b>{esc(asked)}</b><small>{esc(said) or 'nothing'}</small></li>" for asked, said in report.worst
    )
    cases = f"<h3>Worst cases: what was said there</h3><ul>{worst}</ul>" if worst else ""
    about = "".join(f"<p>{esc(line)}</p>" for line in report.about)
    return f"{head}{about}{_curve(report.curve)}{tables}{cases}</section>"
