"""Rows: the lines of a public set, read key by key. It knows JSON lines, not sets."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from eval.cases import EvalError, json_lines


class Row:
    """One parsed line, read key by key; a missing or strange value raises `EvalError` naming file and line."""

    def __init__(self, path: Path, number: int, row: object) -> None:
        self.number = number
        self._where = f"{path}, line {number}"
        if not isinstance(row, dict):
            raise EvalError(f"{self._where}: not a JSON object")
        self._row: Mapping[str, object] = row

    def _bad(self, key: str, wanted: str) -> EvalError:
        return EvalError(f"{self._where}: {key!r} is not {wanted}; is this the right file?")

    def text(self, key: str) -> str:
        value = self._row.get(key)
        if not isinstance(value, str):
            raise self._bad(key, "a text")
        return value

    def flag(self, key: str) -> bool:
        value = self._row.get(key)
        if not isinstance(value, bool):
            raise self._bad(key, "true or false")
        return value

    def texts(self, key: str) -> list[str]:
        """The texts of a list, each once, in order."""
        value = self._row.get(key)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._bad(key, "a list of texts")
        return list(dict.fromkeys(v for v in value if v.strip()))

    def rows(self, key: str) -> list[Row]:
        value = self._row.get(key)
        if not isinstance(value, list):
            raise self._bad(key, "a list")
        return [Row(Path(self._where), i, v) for i, v in enumerate(value, 1)]


def rows_of(path: Path) -> list[Row]:
    return [Row(path, number, row) for number, row in json_lines(path)]


def key_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
