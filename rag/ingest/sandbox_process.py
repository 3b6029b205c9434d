"""The process that reads files of foreign formats. Parsers see hostile input only here.

One request a line on standard input, `{"name", "path", "names", "limits"}`; answers are lines `{"document": ...}` or
`{"refused": ...}`, `{"going": true}` where the next one takes long, and `{"end": true}` last. Its memory is limited, it opens
no connection, and it ends with its input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rag.ingest.formats import Document, Found, Limits, Refused, Working, extract

MEMORY_BYTES = 3 * 2**30  # of address space, including the libraries of the parsers


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _found(request: dict[str, Any]) -> Iterator[Found]:
    try:
        with open(request["path"], "rb") as data:  # noqa: PTH123
            yield from extract(request["name"], data, Limits(**request["limits"]), request["names"])
    except OSError as error:
        yield Refused("", f"cannot be read ({error.strerror})")
    except MemoryError:
        yield Refused("", f"needs more than {MEMORY_BYTES // 2**30} GB of memory; split it")
    except RecursionError:
        yield Refused("", "nested too deeply; save it as text")


def _line(found: Found) -> str:
    if isinstance(found, Working):
        return '{"going": true}'
    kind = "document" if isinstance(found, Document) else "refused"
    line = json.dumps({kind: asdict(found)}, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may contain
        line = json.dumps({"refused": {"key": "", "reason": "holds half a character; save it as UTF-8"}})
    return line


def main() -> None:
    """Serve until the input ends."""
    _bound_memory()
    out = sys.stdout
    sys.stdout = sys.stderr  # output of a parser must not mix with the answers
    out.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    for text in sys.stdin:
        for found in _found(json.loads(text)):
            out.write(_line(found) + "\n")
            out.flush()
        out.write('{"end": true}\n')
        out.flush()


if __name__ == "__main__":
    main()
