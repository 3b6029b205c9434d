"""Archives: files inside a file, read one by one. Sizes are measured while unpacking, not taken from headers."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import IO, Any

from rag.ingest.formats.base import (
    BROKEN,
    Document,
    FormatError,
    Found,
    Job,
    Limits,
    Refused,
    broken,
    check_xml,
    xml_root,
)

PAGES = (".html", ".htm", ".xhtml")  # whose pictures a browser saves in a folder "NAME_files" beside them
_DRIVE = re.compile(r"^[A-Za-z]:")


def check_archive(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Raise `FormatError` for an implausible archive, before anything is unpacked."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise FormatError(f"holds {len(members)} files, {limits.members} at most are read; split it")
    if sum(m.file_size for m in members) > limits.unpacked:
        raise FormatError(f"unpacks to more than {limits.unpacked // 2**20} MB; split it")


def member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int, limits: Limits) -> bytes:
    """The bytes of one member. Size and ratio are measured while it is unpacked. Raises `FormatError`."""
    parts, size = [], 0
    with archive.open(info) as file:
        while block := file.read(1 << 16):
            size += len(block)
            if size > limit:
                raise FormatError(f"larger than {limit // 2**20} MB; split it")
            if size > 2**20 and size > limits.ratio * max(1, info.compress_size):
                raise FormatError(
                    "unpacks to far more than its size (a zip bomb, made to do harm?); unpack it by hand if you trust it"
                )
            parts.append(block)
    return b"".join(parts)


class Parts:
    """The parts of a file that is an archive of XML, each of limited size."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self._limits = limits
        self._archive = zipfile.ZipFile(io.BytesIO(content))
        check_archive(self._archive, limits)
        self._members = {info.filename: info for info in self._archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str, limit: int = 0) -> bytes:
        """The bytes of a part, `limit` of them at most (0: as for a file). Raises `FormatError`."""
        if name not in self._members:
            raise FormatError(f"lacks {name}; save it again")
        return member(self._archive, self._members[name], limit or self._limits.file, self._limits)

    def root(self, name: str) -> Any:
        """The root element of a part, None where it is not there. Raises `FormatError`."""
        return xml_root(self.read(name), self._limits) if name in self else None

    def check_all(self) -> None:
        """Raise `FormatError` for a part that is unsafe for a library."""
        for name in self._members:
            if name.endswith((".xml", ".rels")):
                check_xml(self.read(name), self._limits)


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a member must not be read, "" when it may."""
    name = info.filename
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in re.split(r"[/\\]", name):
        return "its name leads out of the archive"
    if (info.external_attr >> 16) & 0o170000 == 0o120000:
        return "is a link"
    if info.flag_bits & 1:
        return "is encrypted; unpack it by hand"
    if not name.isprintable():
        return "its name is not printable"
    return ""


def unread(endings: Counter[str]) -> str:
    """The message about files whose format is not supported, counted by ending ("" for none)."""
    parts = [
        f"{count} {'file' if count == 1 else 'files'} {f'ending in {ending}' if ending else 'without an ending'}"
        for ending, count in sorted(endings.items())
    ]
    return f"{', '.join(parts)}: this format is not read"


def read_inside(name: str, content: bytes, job: Job) -> Iterator[Found]:
    """The documents of a file inside another one, under its name. `job` is that of the outer file."""
    assert job.inside is not None
    try:
        for found in job.inside(name, content, replace(job, depth=job.depth + 1)):
            if isinstance(found, Refused):
                yield Refused(f"{name}#{found.key}" if found.key else name, f"{name}: {found.reason}")
            elif isinstance(found, Document):
                yield replace(found, key=f"{name}#{found.key}" if found.key else name)
            else:
                yield found
    except FormatError as error:
        yield Refused(name, f"{name}: {error}")
    except BROKEN as error:
        yield Refused(name, f"{name}: {broken(PurePosixPath(name).suffix, error)}")


def read_zip(name: str, data: IO[bytes], job: Job, endings: frozenset[str]) -> Iterator[Found]:
    """The articles of the files in an archive; those that do not end in one of `endings` are counted."""
    limits = job.limits
    left = limits.unpacked
    others: Counter[str] = Counter()
    with zipfile.ZipFile(data) as archive:
        check_archive(archive, limits)
        pages = {
            str(path.with_suffix(""))
            for i in archive.infolist()
            if (path := PurePosixPath(i.filename)).suffix.lower() in PAGES
        }
        for info in sorted(archive.infolist(), key=lambda i: i.filename):
            path = PurePosixPath(info.filename)
            suffix = path.suffix.lower()
            hidden = any(p.startswith((".", "__MACOSX")) and p != ".." for p in path.parts)
            beside_page = any(
                str(p).removesuffix("_files") in pages and str(p).endswith("_files") for p in path.parents
            )
            if info.is_dir() or hidden or beside_page:
                continue
            if suffix not in endings:
                others[suffix if suffix.isprintable() else ""] += 1
                continue
            shown = (
                info.filename
                if info.filename.isprintable()
                else info.filename.encode("ascii", "backslashreplace").decode()
            )
            try:
                if why := _unsafe(info):
                    raise FormatError(why)
                if suffix == ".zip" and job.depth + 1 >= limits.nested:
                    raise FormatError(
                        f"archives are nested more than {limits.nested} deep; unpack it by hand"
                    )
                content = member(archive, info, min(limits.file, left), limits)
            except FormatError as error:
                yield Refused(shown, f"{shown}: {error}")
                continue
            except BROKEN as error:
                yield Refused(shown, f"{shown}: {broken(suffix, error)}")
                continue
            left -= len(content)
            yield from read_inside(shown, content, job)
    if others:
        yield Refused("*", unread(others))
