"""Runs every command that the README shows, and puts what it printed into the README.

    .venv/bin/python -m tests.transcripts

The commands are those of the blocks that begin with "$ rag ask" or "$ make ask", and of the blocks that begin with
"# in a folder with a copy of seeds/", which is made for each; the models must be there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n\$ ((?:rag|make) ask [^\n]+)\n.*?```", re.S)


SESSION = re.compile(r"```console\n# in a folder with a copy of seeds/\n(.*?)```", re.S)


def session(block: str) -> str:
    """The commands of a block with what they print, run one after the other in a folder of their own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    lines = ["# in a folder with a copy of seeds/"]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "seeds", Path(folder, "seeds"))
        for command in re.findall(r"^\$ (.*)$", block, re.M):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            told = [line for line in done.stderr.splitlines() if line.startswith(("skipped", "rag:"))]
            lines += [f"$ {command}", *done.stdout.splitlines(), *told]
    return "\n".join(lines)


def run(command: str) -> str:
    """What a command prints, without its messages on standard error."""
    words = shlex.split(command)
    if words[0] == "make":
        question = next(w.removeprefix("Q=") for w in words if w.startswith("Q="))
        words = ["rag", "ask", question]
    words[0] = str(Path(sys.executable).parent / words[0])
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout.strip("\n")


def main() -> None:
    """See the module."""
    text = README.read_text("utf-8")

    def again(block: re.Match[str]) -> str:
        sys.stdout.write(f"$ {block.group(1)}\n")
        return f"```console\n$ {block.group(1)}\n{run(block.group(1))}\n```"

    def played(block: re.Match[str]) -> str:
        return f"```console\n{session(block.group(1))}\n```"

    README.write_text(SESSION.sub(played, BLOCK.sub(again, text)), "utf-8")


if __name__ == "__main__":
    main()
