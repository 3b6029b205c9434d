"""The house rules that a machine can check: floors, and nothing heavy on import."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the ground up: a package may import those above it in this list, and the ones it stands beside never.
ORDER = [
    "values",
    "text",
    "models",
    "store",
    "ingest",
    "retrieval",
    "answering",
    "assistant",
    "server",
    "ui",
    "cli",
]
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 500, 80
VALUES = [
    "schema",
    "errors",
    "protocols",
    "config",
    "codec",
]  # modules of rag/ itself that everything may import
HEAVY = [
    "torch",
    "sentence_transformers",
    "transformers",
    "faiss",
    "llama_cpp",
    "gradio",
    "langchain_text_splitters",
    "numpy",
    "openvino",
    "py3langid",
    "pydantic",
    "rich",
    "safetensors",
    "tantivy",
    "tokenizers",
    "trafilatura",
    "lxml",
    "pypdfium2",
    "openpyxl",
    "pptx",
    "striprtf",
    "markdown_it",
    "dateparser",
    "feedparser",
    "charset_normalizer",
    "watchfiles",
    "httpx",
    "huggingface_hub",
    "pymilvus",
    "ray",
    "fastapi",
    "uvicorn",
    "mcp",
    "prometheus_client",
]
FILES = sorted((ROOT / "rag").rglob("*.py"))
ALL = [ROOT / "app.py", *FILES, *sorted(p for d in ("eval", "training") for p in (ROOT / d).rglob("*.py"))]


def name_of(path: Path) -> str:
    """ "rag.store.bm25" of rag/store/bm25.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(name: str) -> str:
    """The package of `rag` that a module lies in; the modules of `rag` itself are its values, front door and commands."""
    first = name.split(".")[1] if "." in name else "values"
    return "values" if first in (*VALUES, "__version__") else first


def imports_of(path: Path) -> list[str]:
    """Every module a file imports, inside functions too; "a.b" of "from a import b" where a is one of our packages."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            named = [f"{base}.{alias.name}" for alias in node.names]
            is_package = (ROOT / base.replace(".", "/")).is_dir()
            found += named if is_package else [base]
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    room = room_of(name_of(path))
    assert room in ORDER, f"{name_of(path)}: add its package to ORDER"
    for name in imports_of(path):
        top = name.split(".")[0]
        assert top not in {"eval", "app", "tests", "training"}, f"{name_of(path)} imports {name}"
        assert top != "gradio" or room == "ui", f"{name_of(path)} imports {name}"
        if top == "rag" and name != "rag":
            used = room_of(name)
            assert ORDER.index(used) <= ORDER.index(room), (
                f"{name_of(path)} imports {name}, which stands above it"
            )


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {name_of(path) for path in FILES}
    uses = {
        name_of(path): {n for n in imports_of(path) if n in names and n != name_of(path)} for path in FILES
    }
    while free := [name for name, used in uses.items() if not used & uses.keys()]:
        for name in free:
            del uses[name]
    assert not uses, f"these import each other: {sorted(uses)}"


def test_what_is_installed_imports_nothing_that_is_not() -> None:
    for path in [*FILES, ROOT / "app.py", *(ROOT / "eval").glob("*.py")]:
        for name in imports_of(path):
            assert not re.match(r"(eval\.(bench|compare)|training|tests)\b", name), (
                f"{name_of(path)} imports {name}, which the wheel leaves out"
            )


def test_a_module_is_short_or_says_why_not() -> None:
    long = {name_of(p): n for p in ALL if (n := len(p.read_text("utf-8").splitlines())) > MOST_LINES}
    assert not long, f"longer than {MOST_LINES} lines: {long}"


def test_a_function_is_short() -> None:
    functions = [
        (f"{name_of(path)}.{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in ALL
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {name: lines for name, lines in functions if lines > MOST_LINES_OF_A_FUNCTION}
    assert not long, f"longer than {MOST_LINES_OF_A_FUNCTION} lines: {long}"


def test_importing_a_module_loads_nothing_heavy() -> None:
    # the routes of the HTTP interface are loaded by `rag.server.http.make_api`, when it is served
    names = [
        "app",
        *(n for n in map(name_of, FILES) if not n.startswith("rag.server.http.") and "__" not in n),
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        f"    if heavy := [m for m in {HEAVY!r} if m in sys.modules]:\n"
        "        sys.exit(f'{name} loads {heavy}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_only_one_file_imports_each_heavy_library() -> None:
    owners: dict[str, set[str]] = {}
    for path in FILES:
        for name in imports_of(path):
            owners.setdefault(name.split(".")[0], set()).add(name_of(path))
    assert owners["faiss"] == {"rag.store.vectors"}
    assert owners["tantivy"] == {"rag.store.bm25"}
    assert owners["sentence_transformers"] == {"rag.models.embedder"}
    assert owners["llama_cpp"] == {"rag.models.llama_engine"}
    assert owners["safetensors"] == {"rag.models.embedder", "rag.models.reader_graph"}
    assert owners["langchain_text_splitters"] == {"rag.ingest.chunking"}


def test_what_only_extras_need_is_not_installed_without_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[\[<>=; ]", d)[0].lower() for d in project["dependencies"]}
    assert not names & {
        "pymilvus",
        "milvus",
        "milvus-lite",
        "ray",
        "prometheus-client",
        "limits",
        "uvloop",
        "httptools",
        "mcp",
        "fastapi",
        "uvicorn",
        "openai",
    }
    assert {"mcp", "serve", "milvus", "milvus-lite", "ray"} <= set(project["optional-dependencies"])
