"""README, docs and program say the same."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import click
import pytest

from rag.cli import main
from rag.config import CONFIG_FILE, Settings, load_settings
from rag.text.words import plain
from tests.commands import PAGE, reference
from tests.transcripts import PAGES, argv_of, blocks

ROOT = Path(__file__).parent.parent
OTHERS = [ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")]
OTHERS += [ROOT / folder / "README.md" for folder in ("eval", "training", "seeds", "index")]
TEXTS = {page: page.read_text("utf-8") for page in (*PAGES, *OTHERS)}
MOST_WORDS = 2000  # of the README: what is read in ten minutes


def text_of(name: str) -> str:
    return TEXTS[ROOT / name]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def strings_of(path: Path) -> list[str]:
    """Every text of a Python file, what is put in as it runs standing as "…"."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values))  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def test_the_readme_can_be_read_in_ten_minutes() -> None:
    assert len(text_of("README.md").split()) <= MOST_WORDS


def test_the_command_reference_is_what_the_program_says() -> None:
    assert TEXTS[PAGE] == reference(), "write it anew: python -m tests.commands"


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    told = re.findall(r"(?:`|^\$ |^|/bin/|run: )rag ((?:-[^\s`]+ [^\s`]+ )*)([a-z]+)", TEXTS[page], re.M)
    assert {name for _, name in told} <= set(main.commands)


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    assert set(re.findall(r"(?:`|^|\$ )make ([a-z]+)", TEXTS[page], re.M)) <= targets


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for path in re.findall(r"\]\(((?!http)[^)#]+)", TEXTS[page]):
        assert (page.parent / path).exists(), path


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_every_threshold_that_a_page_names_stands_in_the_code(page: Path) -> None:
    code = "\n".join(p.read_text("utf-8") for p in (ROOT / "rag").rglob("*.py"))
    for name in re.findall(r"`([A-Z]+(?:_[A-Z]+)*_FLOOR)`", TEXTS[page]):
        assert re.search(rf"^{name} = ", code, re.M), name


def test_the_page_on_the_reader_names_every_threshold_of_answering_and_checking() -> None:
    for module in ("pipeline", "verifying", "disagreement"):
        code = (ROOT / "rag" / "answering" / f"{module}.py").read_text("utf-8")
        for name in re.findall(r"^([A-Z_]+_FLOOR) = ", code, re.M):
            assert re.search(rf"`{name}` \| .*{module}\.py", text_of("docs/reader.md")), name


def test_every_command_that_is_shown_with_its_output_can_be_called() -> None:
    shown = [command for text in TEXTS.values() for command, _ in blocks(text)]
    assert len(shown) >= 6
    for command in shown:
        program, name, *words = argv_of(command)
        assert program == "rag"
        context = click.Context(main.commands[name])
        main.commands[name].parse_args(context, words)


def test_what_is_shown_of_an_article_stands_there() -> None:
    places = []
    for page in PAGES:
        for _, printed in blocks(TEXTS[page]):
            for one, two in pairwise(printed.splitlines()):
                at = re.fullmatch(r" +(\S+\.txt), characters (\d+)–(\d+)", two)
                if at:
                    body = (ROOT / "seeds" / at[1]).read_bytes().decode("utf-8")
                    assert f"“{plain(body[int(at[2]) : int(at[3])])}”" == one.strip()
                    places.append(at[1])
    assert len(set(places)) >= 2


def test_every_setting_is_in_the_guide() -> None:
    guide = text_of("docs/guide.md")
    rows = "\n".join(re.findall(r"^\| `.*$", guide, re.M))
    tables = {"model_paths": "`[models]`", "corpora": "`[corpora]`", "fields": "`[fields]`"}
    for field in fields(Settings):
        shown = tables.get(field.name)
        assert (shown in guide) if shown else (f"`{field.name}`" in rows), field.name


def test_every_example_of_settings_is_read_without_complaint(tmp_path: Path) -> None:
    examples = [b for page in PAGES for b in re.findall(r"```toml\n(.*?)```", TEXTS[page], re.S)]
    assert len(examples) >= 4
    for example in examples:
        tomllib.loads(example)
        (tmp_path / CONFIG_FILE).write_text(example, "utf-8")
        load_settings(tmp_path, {})


def test_the_file_tree_names_every_module_and_nothing_else() -> None:
    (tree,) = re.findall(r"```\n(pyproject\.toml.*?)```", text_of("docs/architecture.md"), re.S)
    told: set[str] = set()
    folders: list[str] = []
    for line in tree.splitlines():
        name, _, does = line.strip().partition("  ")
        assert does.strip(), f"{name}: what it does is not told"
        folders = folders[: (len(line) - len(line.lstrip())) // 2]
        path = "".join((*folders, name))
        assert (ROOT / path).exists(), f"in the tree, but not there: {path}"
        told.add(path)
        if name.endswith("/"):
            folders.append(name)
    for package in ("rag", "eval", "training"):
        here = {str(p.relative_to(ROOT)) for p in (ROOT / package).rglob("*.py") if "__" not in p.name}
        assert here <= told, f"not in the tree: {sorted(here - told)}"


def test_each_message_of_the_troubleshooting_page_is_one_of_the_program() -> None:
    said = "\n".join(text for p in (ROOT / "app.py", *(ROOT / "rag").rglob("*.py")) for text in strings_of(p))
    shown = re.findall(r"^### `(.*)`$", text_of("docs/troubleshooting.md"), re.M)
    assert len(shown) == 12
    for message in shown:
        assert message in said, message
