"""Extraction: starts and supervises the process that reads foreign formats.

A parser that hangs is stopped, and one that dies is started again. Either way the file is reported and the next one is read.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType

from rag.ingest.formats import Document, Limits, Refused

IDLE_S = 30.0  # without any output; a long PDF takes a tenth of that, and each recognised page gives output
TOTAL_S = 900.0  # for one file
MAX_REPLY_BYTES = 200 * 2**20


class Extractor:
    """Reads files one after the other. A context that ends the process it started. Threads must not share it."""

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        idle_s: float = IDLE_S,
    ) -> None:
        """`names` are the user's names for JSON and CSV fields. Starts nothing."""
        self._names = dict(names or {})
        self._limits = asdict(limits or Limits())
        self._idle_s = idle_s
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Extractor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            if os.name == "posix":
                with suppress(ProcessLookupError):
                    os.killpg(
                        process.pid, signal.SIGKILL
                    )  # with its own children, such as a text recognition
            else:
                process.kill()
            process.wait()
            self._connection.close()

    def extract(self, path: Path, name: str) -> Iterator[Document | Refused]:
        """The documents of the file at `path`, called `name`; what cannot be read comes as `Refused`."""
        ends = time.monotonic() + TOTAL_S
        request = {
            "name": name,
            "path": str(path.absolute()),
            "names": self._names,
            "limits": self._limits,
        }
        try:
            self._start()
            self._connection.send_bytes(json.dumps(request).encode())
            while "end" not in (reply := self._reply(min(self._idle_s, ends - time.monotonic()))):
                if "document" in reply:
                    yield Document(**reply["document"])
                elif "refused" in reply:
                    yield Refused(**reply["refused"])
        except TimeoutError:
            self.close()
            yield Refused("", f"takes too long to read (more than {self._idle_s:.0f} s); save it as text")
        except (OSError, ValueError, EOFError):
            status = self._process.wait() if self._process else None
            self.close()
            yield Refused(
                "", f"the program that reads such files crashed on it ({_described(status)}); save it as text"
            )
        except GeneratorExit:
            self.close()  # its remaining output belongs to no request
            raise

    def _start(self) -> None:
        """Start the process where it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._connection, other = Pipe()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rag.ingest.sandbox_process", str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/" if os.name == "posix" else None,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
                pass_fds=[other.fileno()],
                start_new_session=True,  # Ctrl-C is handled here, not by the child
            )

    def _reply(self, timeout_s: float) -> dict[str, dict[str, str]]:
        """The next answer. Raises `TimeoutError`, `EOFError` when the process died, `ValueError` for an invalid answer."""
        if timeout_s <= 0 or not self._connection.poll(timeout_s):
            raise TimeoutError
        reply = json.loads(self._connection.recv_bytes(MAX_REPLY_BYTES))
        if not isinstance(reply, dict) or not {"document", "refused", "going", "end"} & reply.keys():
            raise ValueError("no answer")
        return reply


def _described(status: int | None) -> str:
    if status is None:
        return "it could not be started"
    if status < 0:
        return "killed by " + signal.Signals(-status).name
    return f"exit status {status}"
