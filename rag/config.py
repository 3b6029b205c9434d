"""Settings: each with its unit, its default and the reason for it. Reads `citewire.toml` and the environment, nothing else.

Order of precedence: a command-line option, an environment variable `CITEWIRE_<NAME>`, `citewire.toml` in the
working folder, the default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from rag.errors import ConfigError

CONFIG_FILE = "citewire.toml"
NAME = "citewire"  # of the folders of the program


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Paths are used as given, relative ones from the working folder."""

    seeds: Path = Path("seeds")  # folder of articles
    index: Path = Path("index")  # folder of the generated index
    store: str = ""  # a server that holds the index for several hosts, "milvus://HOST:19530/NAME"; "": files in `index`
    corpus: str = ""  # name of one of several corpora side by side; "": the one of `seeds` and `index`
    # models; shared by every checkout of one user
    cache: Path = field(default_factory=lambda: user_cache_path(NAME, appauthor=False))
    # conversations of the page; no other program reads them
    data: Path = field(default_factory=lambda: user_data_path(NAME, appauthor=False))
    model: str = "default"  # a name of `rag models`, a path to a GGUF file, or "none" (quotes only)
    servers: str = ""  # model servers that speak the OpenAI protocol, tried in this order, instead of a file: "http://…/v1, …"
    server_model: str = ""  # the model's name there; "": the first that a server names
    embedding: str = "minilm"
    chunk_chars: int = (
        800  # about 150 words: inside MiniLM's window of 256 tokens, and three sentences of news
    )
    overlap_chars: int = 120  # about one sentence, so that no sentence is only ever seen without a neighbour
    passages: int = 16  # chunks fused per question: about 80 sentences, of which the best few are read
    evidence: int = 6  # sentences kept with an answer, beside those it cites: as many as one looks through
    answer_tokens: int = 120  # two or three sentences
    answer_timeout_s: float = 90.0  # from the question, waiting for the model included
    threads: int = 2  # llama.cpp's own default is half the cores: 1 on a 2-core laptop, and a third slower
    host: str = "127.0.0.1"  # the page listens here
    port: int = 7860
    model_paths: Mapping[str, str] = field(default_factory=dict)  # model name -> file the user already has
    corpora: Mapping[str, str] = field(default_factory=dict)  # corpus name -> its folder of articles
    fields: Mapping[str, str] = field(
        default_factory=dict
    )  # text, title, ... -> its name in JSON and CSV files

    @property
    def run_folder(self) -> Path:
        """Where processes of one user meet: locks and the model's socket."""
        return self.cache / "run"

    def with_options(self, **options: object) -> Settings:
        """A copy with the options that are not None."""
        return replace(self, **{k: v for k, v in options.items() if v is not None})  # type: ignore[arg-type]


KINDS = {int: "a whole number", float: "a number", str: "a text"}
RANGES = {
    "chunk_chars": (200, 4000),
    "passages": (1, 100),
    "evidence": (1, 20),
    "answer_tokens": (16, 1024),
    "answer_timeout_s": (1, 3600),
    "threads": (1, 256),
    "port": (1, 65535),
}


def _convert(name: str, given: object, like: object, where: str) -> object:
    """The value of a setting as it stands in a file or variable, of the kind of its default `like`, in its range."""
    try:
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            raise ValueError
        if isinstance(like, Path):
            return Path(str(given)).expanduser()
        value = type(like)(given)  # type: ignore[call-arg]
    except (ValueError, OverflowError):
        kind = KINDS.get(type(like), "a path")
        raise ConfigError(f"{where}: {name} = {given!r} is not {kind}; correct it or remove it") from None
    low, high = RANGES.get(name, (-inf, inf))
    if isinstance(value, (int, float)) and not low <= value <= high:
        raise ConfigError(
            f"{where}: {name} = {given!r} is out of range ({low} to {high}); correct it or remove it"
        )
    return value


FIELDS = ("text", "title", "author", "publisher", "published", "place", "url", "key")


def _texts(table: dict[str, object], name: str, example: str, file: Path) -> dict[str, str]:
    """The sub-table `name` of texts, taken out of `table`."""
    found = table.pop(name, {})
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise ConfigError(f"{file}: [{name}] must hold lines such as {example}")
    return {str(k): v for k, v in found.items()}


CORPORA = "corpora"  # the folder of the articles of named corpora, and, inside the index, of their indexes


def of_corpus(settings: Settings) -> Settings:
    """The settings with the folders of `settings.corpus`: its articles are where `[corpora]` says, else in
    `corpora/NAME`; its index is in a folder of its own inside the index.

    Raises `ConfigError` for a name that is none.
    """
    name = settings.corpus
    if not name:
        return settings
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ConfigError(
            f"corpus {name!r}: a name is letters, digits, dots, dashes and underscores, at most 64, and begins with a letter or digit"
        )
    seeds = Path(settings.corpora.get(name, f"{CORPORA}/{name}")).expanduser()
    return replace(settings, seeds=seeds, index=settings.index / CORPORA / name)


def load_settings(folder: Path = Path(), environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the defaults, `folder/citewire.toml` and the environment.

    Raises `ConfigError` naming the file or variable for an unknown name, a wrong type or a value out of range.
    """
    environ = os.environ if environ is None else environ
    defaults = Settings()
    tables = ("model_paths", "corpora", "fields")
    known = {f.name: getattr(defaults, f.name) for f in fields(Settings) if f.name not in tables}
    values: dict[str, object] = {}
    file = folder / CONFIG_FILE
    if file.is_file():
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(f"{file}: not readable as TOML ({error}); correct it or remove it") from None
        paths = _texts(table, "models", 'default = "/path/to/model.gguf"', file)
        values["model_paths"] = {k: str(Path(v).expanduser()) for k, v in paths.items()}
        values["corpora"] = _texts(table, "corpora", 'sports = "/path/to/articles"', file)
        values["fields"] = _texts(table, "fields", 'text = "content"', file)
        for name in values["fields"]:  # type: ignore[attr-defined]
            if name not in FIELDS:
                raise ConfigError(f"{file}: [fields] has no {name!r}; known are {', '.join(FIELDS)}")
        for name, value in table.items():
            if name not in known:
                raise ConfigError(f"{file}: unknown setting {name!r}; known are {', '.join(sorted(known))}")
            values[name] = _convert(name, value, known[name], str(file))
    for name, like in known.items():
        variable = f"CITEWIRE_{name.upper()}"
        if environ.get(variable):
            values[name] = _convert(name, environ[variable], like, variable)
    settings = defaults.with_options(**values)
    if not 0 <= settings.overlap_chars < settings.chunk_chars:
        raise ConfigError(
            f"overlap_chars = {settings.overlap_chars} must be at least 0 and below chunk_chars"
            f" ({settings.chunk_chars})"
        )
    return settings
