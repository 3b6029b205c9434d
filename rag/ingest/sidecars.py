"""Sidecars: TOML files beside the articles, with facts that the text does not state.

`NAME.toml` beside an article has its fields. `articles.toml` at the top of the folder has a table for each article.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path

from rag.errors import ArticleError, UnreadableError
from rag.ingest.descriptions import MAX_VALUE_CHARS, parse_date
from rag.schema import PartialDate
from rag.text.words import plain

SIDECAR = "articles.toml"  # one table per file of the folder
_MAX_SIDECAR_BYTES = 1024 * 1024


def shown_path(path: Path) -> str:
    """A path for a message: one line, printable, whatever its name holds."""
    return plain(path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8"))


def read_bytes(path: Path, shown: str, limit: int) -> bytes:
    """All bytes of a regular file. Raises `UnreadableError`, and `ArticleError` for more than `limit` bytes, naming `shown`."""
    try:
        if not path.is_file():
            raise FileNotFoundError(2, "no such file, or not a regular one")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnreadableError(
            f"{shown}: cannot be read ({error.strerror}); correct its permissions, or remove it"
        ) from None
    if len(data) > limit:
        raise ArticleError(f"{shown}: larger than {limit // 2**20} MB; split it into one file per article")
    return data


@dataclass(frozen=True, slots=True)
class Supplied:
    """The facts that a sidecar supplies for one article; None for those it does not."""

    title: str | None = None
    publisher: str | None = None
    published: PartialDate | None = None
    place: str | None = None
    url: str | None = None
    author: str | None = None


_KEYS = tuple(f.name for f in fields(Supplied))


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The tables of `articles.toml`, by the article's path in the folder."""

    tables: Mapping[str, Supplied] = field(default_factory=dict)


def _read_toml(path: Path) -> Mapping[str, object]:
    data = read_bytes(path, shown_path(path), _MAX_SIDECAR_BYTES)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise ArticleError(f"{shown_path(path)}: nested too deeply; correct it or remove it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArticleError(
            f"{shown_path(path)}: not readable as TOML ({error}); correct it or remove it"
        ) from None


def _supplied(table: Mapping[str, object], where: str) -> Supplied:
    """Raises `ArticleError` naming `where`, the key and the reason."""
    texts: dict[str, str] = {}
    published = None
    for key, value in table.items():
        if key not in _KEYS:
            raise ArticleError(f"{where}: unknown key {plain(key)!r}; known are {', '.join(_KEYS)}")
        if key == "published":
            text = value.isoformat() if isinstance(value, date) else value
            published = parse_date(text) if isinstance(text, str) else None
            if published is None:
                raise ArticleError(
                    f"{where}: published = {plain(str(value))[:80]!r} is not a date; write it like 2025-07-10, 2025-07 or July 10"
                )
        elif not isinstance(value, str) or not plain(value) or len(value) > MAX_VALUE_CHARS:
            raise ArticleError(
                f"{where}: {key} must be a text of 1 to {MAX_VALUE_CHARS} characters; correct it"
            )
        elif key == "url" and not re.match(r"https?://[^\s<>\"]+$", value):
            raise ArticleError(
                f"{where}: url must begin with http:// or https:// and hold no space; correct it"
            )
        else:
            texts[key] = plain(value)
    return Supplied(published=published, **texts)


def load_sidecars(folder: Path) -> Sidecars:
    """`folder/articles.toml`, if there is one: a table per article, named by its path in the folder.

    Raises `ArticleError` for a file that is not TOML, an unknown or malformed key, or a table for a file that is not
    there.
    """
    path = folder / SIDECAR
    if not path.exists():
        return Sidecars()
    tables = {}
    for name, table in _read_toml(path).items():
        where = f"{shown_path(path)} [{plain(name)}]"
        if not isinstance(table, dict):
            raise ArticleError(f'{where}: must be a table such as ["a.txt"]; correct it')
        if not (folder / name).is_file() or Path(name).as_posix() != name or ".." in Path(name).parts:
            hint = (
                ' (a name with a dot needs quotes: ["a.txt"])'
                if any(isinstance(v, dict) for v in table.values())
                else ""
            )
            raise ArticleError(
                f"{where}: no such file in {shown_path(folder)}{hint}; correct the name or remove it"
            )
        tables[name] = _supplied(table, where)
    return Sidecars(tables)


def sidecar_of(path: Path, folder: Path, sidecars: Sidecars) -> Supplied:
    """What NAME.toml beside the article and its table in `articles.toml` supply; they must not contradict each other."""
    listed = sidecars.tables.get(path.relative_to(folder).as_posix(), Supplied())
    beside = path.with_suffix(".toml")
    if beside == folder / SIDECAR or not beside.exists():
        return listed
    own = _supplied(_read_toml(beside), shown_path(beside))
    for key in _KEYS:
        one, two = getattr(own, key), getattr(listed, key)
        if one is not None and two is not None and one != two:
            raise ArticleError(f"{shown_path(beside)}: {key} differs from {SIDECAR}; keep it in one of them")
    return Supplied(**{key: getattr(own, key) or getattr(listed, key) for key in _KEYS})
