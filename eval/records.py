"""Records: one JSON line a question, with everything needed to look at it again; and answers read back from them.

It knows files and values, not how questions are asked or judged. Judging always starts from the record, so that the
measures can change without asking again.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import rag
from eval.cases import Case, EvalError, json_lines
from eval.split import half
from eval.trace import NOTHING, Trace, from_row, to_row
from rag.codec import answer_of, answer_to_dict
from rag.config import Settings
from rag.schema import Answer, Article, Status

SCHEMA = "citewire.eval/1"
# Settings that change answers; where files lie and where the page listens does not.
_SETTINGS = (
    "model",
    "servers",
    "server_model",
    "embedding",
    "chunk_chars",
    "overlap_chars",
    "passages",
    "evidence",
    "answer_tokens",
    "answer_timeout_s",
    "threads",
)
_PACKAGES = ("faiss-cpu", "llama-cpp-python", "numpy", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class Run:
    """What made the answers, as it stands in every record: settings and package versions by name, a hash of the source
    and weights of `rag`, and the machine, which is no part of the fingerprint."""

    settings: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    code: str
    machine: str

    @property
    def fingerprint(self) -> str:
        """Equal for runs that are to give the same answers."""
        return sha256(json.dumps([self.settings, self.versions, self.code]).encode()).hexdigest()[:16]


def _hash(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def describe_run(settings: Settings, model_files: Mapping[str, Path]) -> Run:
    """The run that these settings and this installation make; `model_files` (role -> file) are hashed."""
    source = Path(rag.__file__).parent
    digest = sha256()
    for path in sorted(p for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(f"{path.relative_to(source).as_posix()} {_hash(path)}\n".encode())
    return Run(
        tuple((name, str(getattr(settings, name))) for name in _SETTINGS)
        + tuple((f"{role} sha256", _hash(file)) for role, file in sorted(model_files.items())),
        (("citewire", rag.__version__), *((name, version(name)) for name in _PACKAGES)),
        digest.hexdigest()[:16],
        f"{platform.machine()}, Python {platform.python_version()}",
    )


def asked_key(case: Case, articles: Iterable[Article]) -> str:
    """Names what was asked: question, history and the articles' contents. Gold may change without asking again."""
    corpus = sorted(f"{a.path} {a.version}" for a in articles)
    return sha256(json.dumps([case.question, case.history, corpus]).encode()).hexdigest()[:16]


def record_line(set_name: str, case: Case, run: Run, asked: str, answer: Answer, trace: Trace) -> str:
    """The record of one question as a line of JSON, with its line break."""
    record = {
        "schema": SCHEMA,
        "set": set_name,
        "id": case.id,
        "half": half(set_name, case.id).value,
        "fingerprint": run.fingerprint,
        "asked": asked,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": {
            "settings": dict(run.settings),
            "versions": dict(run.versions),
            "code": run.code,
            "machine": run.machine,
        },
        "case": asdict(case),
        "answer": answer_to_dict(answer),
        "trace": to_row(trace),
    }
    return json.dumps(record, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read back: what was asked of which run, and the answer, still unparsed."""

    set_name: str
    id: str
    fingerprint: str
    asked: str
    line: int
    _answer: Any
    _trace: Any = None

    @property
    def failed(self) -> bool:
        """Whether the question ended in an error."""
        return isinstance(self._answer, dict) and self._answer.get("status") == Status.FAILED.value

    def answer(self, articles: Iterable[Article]) -> Answer:
        """The answer, over the articles it was given from. Raises `ValueError` where they do not fit it."""
        return answer_of(self._answer, {a.path: a for a in articles})

    def trace(self, articles: Iterable[Article]) -> Trace:
        """What the answer took; nothing where an older program did not keep it. Raises `ValueError` as `answer` does."""
        if self._trace is None:
            return NOTHING
        try:
            return from_row(self._trace, {a.path: a for a in articles})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a trace over these articles ({error})") from None


def read_records(path: Path) -> list[Record]:
    """The records of a file in order; none where there is no file. A cut last line, which an interrupted run can
    leave, is not counted. Raises `EvalError` for any other line that is no record."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    records = []
    for number, row in json_lines(path):
        if not isinstance(row, dict) or row.get("schema") != SCHEMA:
            raise EvalError(f"{path}, line {number}: not a record of {SCHEMA}; name another --out folder")
        records.append(
            Record(
                row["set"],
                row["id"],
                row["fingerprint"],
                row["asked"],
                number,
                row["answer"],
                row.get("trace"),
            )
        )
    return records
