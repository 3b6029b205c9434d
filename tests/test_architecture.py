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
text protocols config formats trust password listening openvino
dates quantities format_child priority reader_graph
articles question prompts copies freshness extraction codec
furniture
chunking citations render sources windows
scope sessions language reader
intent_forms reading
embedder llama_child catalog models intents verify
llama vectors watching remote writing disagreement
lexical
store milvus
milvus_store
sharing
migration retrieval conversation
build
upkeep fanout
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
    "openvino",
    "py3langid",
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
    "pymilvus",
    "ray",
    "fastapi",
    "uvicorn",
    "mcp",
    "prometheus_client",
]
PACKAGES = sorted(p.parent.name for p in (ROOT / "rag").glob("*/__init__.py"))
MODULES = sorted([*(p.stem for p in (ROOT / "rag").glob("*.py") if p.stem != "__init__"), *PACKAGES])


def files_of(module: str) -> list[Path]:
    """The files of a module, or of a package, which stands on one floor as a whole."""
    return sorted((ROOT / "rag" / module).rglob("*.py")) or [ROOT / "rag" / f"{module}.py"]


def imports_of(path: Path) -> list[str]:
    """Every module a file imports, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found += [f"rag.{alias.name}" for alias in node.names] if base == "rag" else [base]
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_lower_floors(module: str) -> None:
    assert module in FLOOR, f"rag/{module}: it has no floor, add it to FLOORS"
    for name in (name for file in files_of(module) for name in imports_of(file)):
        top, _, rest = name.partition(".")
        used = rest.partition(".")[0]
        assert top not in {"eval", "app", "tests", "gradio"}, f"rag/{module} imports {name}"
        if top == "rag" and used and used not in ("__version__", module):
            assert FLOOR[used] < FLOOR[module], (
                f"rag/{module} (floor {FLOOR[module]}) imports rag/{used} (floor {FLOOR[used]})"
            )


@pytest.mark.parametrize("name", ["app", *(f"rag.{m}" for m in MODULES)])
def test_importing_a_module_loads_nothing_heavy(name: str) -> None:
    code = f"import sys; import {name}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_one_file_imports_each_heavy_library() -> None:
    owners: dict[str, set[str]] = {}
    for module in MODULES:
        for name in (name for file in files_of(module) for name in imports_of(file)):
            owners.setdefault(name.split(".")[0], set()).add(module)
    assert owners["faiss"] == {"vectors"}
    assert owners["tantivy"] == {"lexical"}
    assert owners["sentence_transformers"] == {"embedder"}
    assert owners["llama_cpp"] == {"llama_child"}
    assert owners["safetensors"] == {"embedder", "reader_graph"}
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


def test_every_package_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert {f"rag.{name}" for name in PACKAGES} <= set(settings["packages"])
