"""Runs every command that README and docs show with its output, and puts what it prints now into the page.

    .venv/bin/python -m tests.transcripts [--model none] [PAGE...]

Two kinds of blocks are run: those that begin with "$ rag ..." or "$ make ask ...", one command each, and those that begin
with "# in a folder with a copy of seeds/", several commands one after the other. Each block of the second kind has a folder
of its own, all others share one, with an index made first. The models must be there. `--model` words all answers
with that model; without it the commands run as they stand.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"```console\n\$ ((?:rag|make) [^\n]+)\n(.*?)```", re.S)
SESSION = re.compile(r"```console\n# in a folder with a copy of seeds/\n(.*?)```", re.S)
BIN = Path(sys.executable).parent


def argv_of(command: str) -> list[str]:
    """The words of a shown command, with `make ask` as the `rag ask` that it becomes."""
    words = shlex.split(command)
    if words[:2] == ["make", "ask"]:
        words = ["rag", "ask", *(w.removeprefix("Q=") for w in words if w.startswith("Q="))]
    return words


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """(command, what it printed) of each block of one command."""
    for block in BLOCK.finditer(text):
        yield block[1], block[2]


def session(block: str) -> str:
    """The commands of a block with what they print, run one after the other in a folder of their own."""
    lines = ["# in a folder with a copy of seeds/"]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "seeds", Path(folder, "seeds"))
        for command in re.findall(r"^\$ (.*)$", block, re.M):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
            )
            told = [line for line in done.stderr.splitlines() if line.startswith(("skipped", "rag:"))]
            lines += [f"$ {command}", *done.stdout.splitlines(), *told]
    return "\n".join(lines)


def run(command: str, folder: Path, model: str) -> str:
    """What a command prints, without its messages on standard error."""
    words = argv_of(command)
    if model and words[1] == "ask":
        words = [w for i, w in enumerate(words) if w != "--model" and words[i - 1] != "--model"]
        words[2:2] = ["--model", model]
    done = subprocess.run(
        [BIN / words[0], *words[1:]], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout.strip("\n")


def renew(text: str, folder: Path, model: str) -> str:
    """A page with what its commands print now."""

    def again(block: re.Match[str]) -> str:
        sys.stdout.write(f"$ {block[1]}\n")
        sys.stdout.flush()
        return f"```console\n$ {block[1]}\n{run(block[1], folder, model)}\n```"

    def played(block: re.Match[str]) -> str:
        return f"```console\n{session(block[1])}\n```"

    return SESSION.sub(played, BLOCK.sub(again, text))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="only these pages (default: all)")
    parser.add_argument("--model", default="", help='word all answers with this model, or "none"')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copytree(ROOT / "seeds", folder / "seeds")
        subprocess.run([BIN / "rag", "index"], cwd=folder, check=True, capture_output=True)
        for page in options.pages or PAGES:
            text = page.read_text("utf-8")
            newer = renew(text, folder, options.model)
            if newer != text:
                page.write_text(newer, "utf-8")


if __name__ == "__main__":
    main()
