"""A real Milvus server of the package index on loopback, to be started, killed and started again by tests and measured by `eval.bench`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rag.server.network import free_port

_RUN = """
import json, sys, time
from milvus import MilvusServer
server = MilvusServer(data_dir=sys.argv[1], proxy_port=int(sys.argv[2]))
for option, value in json.loads(sys.argv[3]).items():
    server.config.set(option, value)
server.start()
print("up", server.server_proc.pid, flush=True)
while server.running:
    time.sleep(0.2)
"""
STARTING_S = 120.0


class MilvusProcess:
    """The server over one folder. It listens on one port for all its life. `options` are of the package's configuration."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.port = free_port()
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._server = 0

    def start(self) -> None:
        """Start it, and wait until it serves."""
        end = time.monotonic() + STARTING_S
        while not self._started():
            assert time.monotonic() < end, "the Milvus server does not start"
            time.sleep(2)  # for a while the system may keep the port of one that was killed

    def _started(self) -> bool:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(self.folder), str(self.port), json.dumps(self._options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout
        words = self._process.stdout.readline().split()
        if not words:
            self._process.wait()
            return False
        self._server = int(words[1])
        return True

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        if self._process is not None:
            for process in (self._server, self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def address(self, name: str) -> str:
        """The setting `store` for an index of that name."""
        return f"milvus://127.0.0.1:{self.port}/{name}"
