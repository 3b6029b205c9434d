"""Scope: which articles a reader restricts the answers to. Pure."""

from __future__ import annotations

from rag.schema import Article, Choice, PartialDate
from rag.text.words import fold, plain


def _bounds(value: PartialDate) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """First and last day that a date may mean, as year, month, day; None without a year."""
    if value.year is None:
        return None
    month, day = value.month, value.day
    return (value.year, month or 1, day or 1), (value.year, month or 12, day or 31)


def in_scope(choice: Choice, article: Article) -> bool:
    """Whether an article is among those that the reader wants."""
    if choice.publishers:
        known = fold(article.publisher.value) if article.publisher else ""
        if known not in {fold(p) for p in choice.publishers}:
            return False
    if choice.after is None and choice.before is None:
        return True
    dated = _bounds(article.published.date) if article.published else None
    if dated is None:
        return False
    after = _bounds(choice.after) if choice.after else None
    before = _bounds(choice.before) if choice.before else None
    return (after is None or dated[0] >= after[0]) and (before is None or dated[1] <= before[1])


def choice_text(choice: Choice) -> str:
    """What a reader's choice leaves to be read, in words; "" when it leaves all."""
    parts = []
    if choice.publishers:
        parts.append(f"published by {' or '.join(plain(p) for p in choice.publishers)}")
    if choice.after and choice.before:
        parts.append(f"dated from {choice.after} to {choice.before}")
    elif choice.after:
        parts.append(f"dated {choice.after} or later")
    elif choice.before:
        parts.append(f"dated {choice.before} or earlier")
    return f"Only articles {' and '.join(parts)} were read, as set under Settings." if parts else ""
