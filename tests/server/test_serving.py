"""`rag serve` and `rag mcp` as programs: the examples of docs/api.md against the real thing, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from rag.cli import main
from rag.server.network import free_port

DOCS = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text("utf-8")
RAG = [sys.executable, "-m", "rag.cli"]
QUESTION = "How long did the meeting last?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, seeds_dir: Path, minilm_dir: Path) -> Path:
    """A working folder with the articles and their index; articles are quoted, no model is loaded."""
    made = tmp_path_factory.mktemp("serving")
    shutil.copytree(seeds_dir, made / "seeds")
    (made / "citewire.toml").write_text(f'model = "none"\n[models]\nminilm = "{minilm_dir}"\n', "utf-8")
    subprocess.run([*RAG, "index"], cwd=made, check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """`rag serve`, listening."""
    port = free_port()
    process = subprocess.Popen(
        [*RAG, "serve", "--port", str(port)], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 60
    found = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx.get(f"{found}/health").raise_for_status()
            break
        except httpx.HTTPError:
            assert process.poll() is None and time.monotonic() < end, process.communicate()[1]
            time.sleep(0.1)
    yield found
    process.terminate()
    process.communicate()


def block(language: str, holding: str) -> str:
    """The block of docs/api.md of that language with those words."""
    (found,) = [b for b in re.findall(rf"```{language}\n(.*?)```", DOCS, re.S) if holding in b]
    return found


def test_the_docs_python_example_runs(address: str, folder: Path) -> None:
    code = block("python", "from openai").replace("http://127.0.0.1:8000", address)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("about 50 minutes") >= 2 and "Sources" in done.stdout


def test_the_docs_curl_examples_run(address: str, folder: Path) -> None:
    code = block("sh", "/v1/chat/completions").replace("http://127.0.0.1:8000", address)
    for command in re.split(r"\n(?=curl)", code.strip()):
        done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert "error" not in found, found


def test_an_open_address_needs_keys_and_a_taken_port_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    refused = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0", "--port", str(free_port())])
    assert refused.exit_code == 2 and "set CITEWIRE_API_KEYS" in refused.output
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = CliRunner().invoke(main, ["serve", "--port", str(port)])
    assert refused.exit_code == 2 and f"port {port} is in use" in refused.output


def test_the_tools_answer_over_standard_input_and_output(folder: Path) -> None:
    async def talk() -> tuple[list[str], str, str, bool]:
        started = StdioServerParameters(
            command=sys.executable, args=["-m", "rag.cli", "mcp"], cwd=folder, env=dict(os.environ)
        )
        async with stdio_client(started) as (reading, writing), ClientSession(reading, writing) as session:
            await session.initialize()
            tools = [t.name for t in (await session.list_tools()).tools]
            answer = await session.call_tool("ask", {"question": QUESTION})
            found = await session.call_tool("search", {"query": "drone attack", "limit": 2})
            wrong = await session.call_tool("ask", {"question": " "})
            return tools, answer.content[0].text, found.content[0].text, bool(wrong.isError)  # type: ignore[union-attr]

    tools, answer, found, is_wrong = asyncio.run(talk())
    assert tools == ["ask", "search"] and is_wrong
    told = json.loads(answer)
    assert "about 50 minutes" in told["text"] and told["answer"]["evidence"][0]["article"]
    assert "drone" in json.loads(found)["text"]
