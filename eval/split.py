"""The one split rule: which half of a set of questions a row belongs to. Knows names and ids, not what they hold.

The tune half may be looked at while parts are made; the report half is run for release notes only.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

OWN_SET = "seeds"  # the name under which `questions.jsonl` is split


class Half(StrEnum):
    """A half of a set."""

    TUNE = "tune"
    REPORT = "report"


def half(set_name: str, row_id: str) -> Half:
    """The half of row `row_id` of set `set_name`: even SHA-256 of "set_name:row_id" is tune, odd is report.

    It depends on the two names alone, so adding or removing rows never moves another row.
    """
    digest = sha256(f"{set_name}:{row_id}".encode()).hexdigest()
    return Half.TUNE if int(digest, 16) % 2 == 0 else Half.REPORT
