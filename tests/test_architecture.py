"""The house rules that a machine can check: floors, and nothing heavy on import."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the ground up; a line may only use the lines above it.
FLOORS = """
schema errors
formats.days
formats.base
formats.archives formats.decoding formats.scans
formats.html formats.pdf
formats.feeds formats.text formats.office
formats.tables formats.mail
text protocols config formats trust password listening
dates quantities names format_child priority
articles question evidence prompts copies freshness extraction codec
furniture
chunking citations verify disagreement render joining arithmetic sources
polarity scope events sessions
embedder llama_child catalog models reader
llama vectors watching remote
lexical
store milvus
milvus_store
sharing
migration retrieval conversation ranking
build
upkeep refusal drafting fanout
answering shelf
assistant html api tools
cli
"""
FLOOR = {name: floor for floor, line in enumerate(FLOORS.strip().splitlines()) for name in line.split()}
HEAVY = [
    "torch",
    "sentence_transformers",
    "transformers",
    "faiss",
    "llama_cpp",
    "gradio",
    "langchain_text_splitters",
    "numpy",
    "rich",
    "tantivy",
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
    "pymilvus",
    "ray",
    "fastapi",
    "uvicorn",
    "mcp",
    "prometheus_client",
]
FILES = {
    ".".join(p.relative_to(ROOT / "rag").with_suffix("").parts).removesuffix(".__init__"): p
    for p in sorted((ROOT / "rag").rglob("*.py"))
    if p != ROOT / "rag" / "__init__.py"
}
MODULES = sorted(FILES)


def imports_of(path: Path) -> list[str]:
    """Every module a file imports, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            inside = base in ("rag", "rag.formats") and any(
                f"{base}.{a.name}"[4:] in FILES for a in node.names
            )
            found += [f"{base}.{alias.name}" for alias in node.names] if inside else [base]
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_lower_floors(module: str) -> None:
    assert module in FLOOR, f"rag/{module}.py has no floor: add it to FLOORS"
    for name in imports_of(FILES[module]):
        top, _, rest = name.partition(".")
        assert top not in {"eval", "app", "tests", "gradio"}, f"rag/{module}.py imports {name}"
        if top == "rag" and rest and rest != "__version__":
            assert FLOOR[rest] < FLOOR[module], (
                f"rag/{module}.py (floor {FLOOR[module]}) imports rag/{rest}.py (floor {FLOOR[rest]})"
            )


@pytest.mark.parametrize("name", ["app", *(f"rag.{m}" for m in MODULES)])
def test_importing_a_module_loads_nothing_heavy(name: str) -> None:
    code = f"import sys; import {name}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_one_file_imports_each_heavy_library() -> None:
    owners: dict[str, set[str]] = {}
    for module in MODULES:
        for name in imports_of(FILES[module]):
            owners.setdefault(name.split(".")[0], set()).add(module)
    assert owners["faiss"] == {"vectors"}
    assert owners["tantivy"] == {"lexical"}
    assert owners["sentence_transformers"] == {"embedder"}
    assert owners["llama_cpp"] == {"llama_child"}
    assert owners["langchain_text_splitters"] == {"chunking"}


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
