"""The README and the program say the same."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rag.cli import main
from rag.config import CONFIG_FILE, load_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_command_of_the_program_is_in_the_readme_and_the_other_way_round() -> None:
    told = set(re.findall(r"`rag ([a-z]+)", README))
    assert told == set(main.commands)


def test_every_option_of_ask_that_the_readme_names_exists() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `rag ask "))
    options = {o for p in main.commands["ask"].params for o in p.opts}
    assert set(re.findall(r"--[a-z]+", row)) <= options


def test_the_settings_example_is_read_without_complaint(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert len(blocks) == 3
    for block in reversed(blocks):
        tomllib.loads(block)
        (tmp_path / CONFIG_FILE).write_text(block, "utf-8")
        settings = load_settings(tmp_path, {})
    assert settings.seeds == Path("articles") and settings.model_paths["default"].endswith(".gguf")


def test_the_file_tree_names_every_module_and_nothing_else() -> None:
    (block,) = re.findall(r"```\n(pyproject\.toml.*?)```", README, re.S)
    for folder in ("rag", "eval"):
        here = {p.stem for p in (ROOT / folder).glob("*.py")} - {"__init__", "__main__"}
        if folder == "rag":  # the packages of eval/ have lines of their own
            here |= {p.parent.name for p in (ROOT / folder).glob("*/__init__.py")}
        section = re.search(rf"^{folder}/\n((?: +.*\n)+)", block, re.M)
        assert section, f"{folder}/ is not in the tree"
        rows = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in section.group(1).splitlines()]
        names = {name for _, modules in rows for name in modules.split()}
        assert here <= names, f"not in the tree: {sorted(here - names)}"
        assert names <= here, f"in the tree, not in {folder}/: {sorted(names - here)}"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_of_the_readme_leads_to_a_file(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_make_targets_that_the_readme_names_exist() -> None:
    targets = set(re.findall(r"make ([a-z]+)", README))
    for target in targets & {"chat", "ask", "test", "eval", "index", "setup", "clean"}:
        done = subprocess.run(
            ["make", "-n", target, "Q=x"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        )
        assert done.returncode == 0, done.stderr
