"""The password of the page, stored as a slow hash (scrypt, RFC 7914) in a file that only its owner can read."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
from pathlib import Path

from rag.errors import ConfigError

FILE_NAME = "password"
LEAST_CHARS = 8
WAIT_S = 1.0  # after a wrong password, for everybody: a thousand tries take a quarter of an hour
_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and about 50 ms a try


def _hash(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, **_COST).hex()


def set_password(folder: Path, password: str) -> Path:
    """Store the hash of `password` in `folder`. Returns the file. Raises `ConfigError` for a short password."""
    if len(password) < LEAST_CHARS:
        raise ConfigError(f"the password has fewer than {LEAST_CHARS} characters; choose a longer one")
    salt = secrets.token_bytes(16)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, partial = folder / FILE_NAME, folder / f"{FILE_NAME}.partial"
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(f"scrypt {salt.hex()} {_hash(password, salt)}\n")
    partial.replace(file)
    return file


class Password:
    """Checks passwords. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Raises `ConfigError` when no password was set, or its file is damaged."""
        file = folder / FILE_NAME
        try:
            kind, salt, self._hash = file.read_text("ascii").split()
            self._salt = bytes.fromhex(salt)
            if kind != "scrypt" or len(self._hash) != 128:
                raise ValueError
        except FileNotFoundError:
            raise ConfigError("no password is set; run: .venv/bin/python app.py --set-password") from None
        except (OSError, ValueError):
            raise ConfigError(f"{file}: damaged; run: .venv/bin/python app.py --set-password") from None
        self._lock = threading.Lock()

    def fits(self, user: str, password: str) -> bool:
        """Whether the password is right, with any user name. After a wrong one the next try has to wait."""
        with self._lock:  # one try at a time, otherwise parallel tries would not wait
            right = hmac.compare_digest(_hash(password, self._salt), self._hash)
            if not right:
                time.sleep(WAIT_S)
            return right
