"""Scans: the text of a page that is only a picture, recognised by tesseract where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from typing import Any

PAGE_S = 25.0  # for one page; the whole file is given up after 30 s without a sign of progress
DOTS_PER_INCH = 300  # as in the training of tesseract
MOST_PIXELS = 40_000_000  # a newspaper page; larger ones are scaled down
MOST_LANGUAGES = 4  # each makes it slower


@cache
def _languages() -> str:
    """The installed languages in the form of tesseract's option ("deu+eng"), "" where tesseract is missing."""
    program = shutil.which("tesseract")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "--list-langs"], capture_output=True, timeout=PAGE_S, text=True, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = [line.strip() for line in done.stdout.splitlines()[1:]]
    return "+".join([f for f in found if f and f not in ("osd", "equ") and "/" not in f][:MOST_LANGUAGES])


def missing_recognition() -> str:
    """What to do where no text can be recognised, "" where it can."""
    if _languages():
        return ""
    return "no text layer (a scan?); install tesseract and run: rag index FILE, or run a text recognition on it first"


def recognise(page: Any) -> tuple[str, str]:
    """(text, reason where there is none) of a page that pypdfium2 can draw."""
    width, height = page.get_size()
    scale = DOTS_PER_INCH / 72
    scale = min(scale, (MOST_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        rows = memoryview(bytes(bitmap.buffer))
        picture = b"".join(
            rows[n * bitmap.stride : n * bitmap.stride + bitmap.width] for n in range(bitmap.height)
        )
        head = f"P5 {bitmap.width} {bitmap.height} 255\n".encode()
    finally:
        bitmap.close()
    try:
        done = subprocess.run(
            [str(shutil.which("tesseract")), "-", "-", "-l", _languages(), "--dpi", str(round(scale * 72))],
            input=head + picture,
            capture_output=True,
            timeout=PAGE_S,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=True,
        )
    except subprocess.TimeoutExpired:
        return (
            "",
            f"scanned, and recognising its text takes more than {PAGE_S:.0f} s; run a text recognition on it first",
        )
    except (OSError, subprocess.SubprocessError):
        return "", "scanned, and tesseract failed on it; run a text recognition on it first"
    text = done.stdout.decode("utf-8", "replace").replace("\f", "\n")
    return text, "" if text.strip() else "scanned, and no text is recognised on it"
