"""Dockerfile and compose file against the project: nobody may have run them, but what they name must exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

from rag.cli import main
from rag.config import Settings, load_settings
from rag.models.openai_client import servers_of
from rag.server.http import KEYS
from rag.store.milvus_client import LEAST_SERVER, Address

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_image_has_a_python_that_the_project_takes_and_its_extras_exist() -> None:
    (version,) = set(re.findall(r"FROM python:(\d+\.\d+)", DOCKERFILE))
    assert PROJECT["project"]["requires-python"] == f">={version}"
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', DOCKERFILE)
    assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])
    assert "-c constraints.txt" in DOCKERFILE


def test_what_is_copied_into_the_image_exists_and_is_all_that_is_installed() -> None:
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.M) for name in line.split()
    }
    assert all((ROOT / name).exists() for name in copied)
    packages = {p.partition(".")[0] for p in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages | {"app.py", "pyproject.toml", "constraints.txt", "README.md"} <= copied


def test_every_setting_of_image_and_compose_file_is_one() -> None:
    named = (
        dict(re.findall(r"(CITEWIRE_\w+)=(\S+)", DOCKERFILE))
        | COMPOSE["services"]["assistant"]["environment"]
    )
    assert KEYS in named
    settings = load_settings(ROOT / "docs", {k: v for k, v in named.items() if k != KEYS})
    for name in named.keys() - {KEYS}:
        assert hasattr(Settings(), name.removeprefix("CITEWIRE_").lower())
    address = Address.of(settings.store)
    services = COMPOSE["services"]
    assert address.uri == "http://milvus:19530" and "milvus" in services
    assert servers_of(settings.servers) == ("http://model:8000/v1",) and "model" in services
    numbers = tuple(int(n) for n in re.findall(r"\d+", services["milvus"]["image"].split(":v")[1])[:2])
    assert numbers >= LEAST_SERVER


def test_the_commands_of_both_exist_and_volumes_are_declared() -> None:
    for command in re.findall(r'"rag", "(\w+)"', DOCKERFILE):
        assert command in main.commands
    used = {v.partition(":")[0] for s in COMPOSE["services"].values() for v in s.get("volumes", ())}
    assert {v for v in used if not v.startswith(".")} == set(COMPOSE["volumes"])
    for service in COMPOSE["services"].values():
        assert "build" in service or re.search(r":v?\d", service["image"]), "a version, not latest"
