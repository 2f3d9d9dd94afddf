"""From what the user names to plain files: folders are walked, archives unpacked, texts made UTF-8, within bounds."""

from __future__ import annotations

import bz2
import codecs
import errno
import gzip
import io
import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, NoReturn

import pyarrow as pa

from ator_lib.errors import NotFoundError, ResultsError
from ator_lib.readers.base import Source, named

MOST_FILES = 10_000
"""Files of one run, more than which is a mistake."""

UNPACKED_RATIO = 200
UNPACKED_FREE = 2**26
"""Archives may unpack to ``UNPACKED_FREE`` bytes and ``UNPACKED_RATIO`` times their size: bombs pack better."""

DEEPEST = 3
"""How often a file may be packed: ``run.csv.gz`` in a zip in a zip is the most."""

_CHUNK = 2**20
_HEAD = 16
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""What systems say when there is no room left on a disk."""
_ZIP = re.compile(rb"PK(\x03\x04|\x05\x06)")  # the second one is empty
_PACKED: tuple[tuple[re.Pattern[bytes], Callable[[Path], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh[1-9]1AY&SY"), bz2.open),
    (re.compile(rb"\xfd7zXZ\x00"), lzma.open),
    (re.compile(rb"\x28\xb5\x2f\xfd"), lambda path: pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd")),
)
_SUFFIX = re.compile(r"\.(gz|bz2|xz|zst)$", re.IGNORECASE)
_UNREAD = ((b"7z\xbc\xaf\x27\x1c", 0, "7z"), (b"Rar!\x1a\x07", 0, "rar"), (b"ustar", 257, "tar"))
_BAD_ARCHIVE = (
    *(gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, RuntimeError, OverflowError),
)
_XML_ENCODING = re.compile(r"""(<\?xml[^>]*encoding=["'])[^"']*""")


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[list[Source]]:
    """Yield the plain files that these files and folders hold, sorted; what is unpacked lives until it is left.

    Text is UTF-8 without a byte order mark. A file that was named twice, also by a link, comes once. What a compressed
    file that was cut short holds up to there is given, and marked as truncated.

    Raises
    ------
    NotFoundError
        There is nothing at a path.
    ResultsError
        It is no file and no folder, holds nothing, cannot be read, or unpacks to more than is sound or than fits.
    """
    with TemporaryDirectory(prefix="ator-", ignore_cleanup_errors=True) as folder:
        scratch = _Scratch(Path(folder))
        found = [plain for source in given(paths) for plain in _plain(source, scratch)]
        _check_holds_something(found, ", ".join(named(path) for path in paths[:5]))
        yield found


def files_of(path: Path) -> list[Path]:
    """List the regular files at a path, sorted: to open a pipe would wait for its other end.

    Folders are not followed by links, and what systems and editors leave (``.DS_Store``, ``~$run.csv``) does not count.

    Raises
    ------
    NotFoundError
        There is nothing.
    ResultsError
        It is no file and no folder, there are too many files, or it cannot be looked at.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            return [path]
        if not stat.S_ISDIR(kind):
            raise ResultsError(f"{named(path)} is no regular file and no folder: give the file that the tool wrote.")
        found = sorted(islice(_walked(path), MOST_FILES + 1))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # a path with NUL is no path
        raise NotFoundError(f"{named(path)} is not there: give a file or a folder of results.") from error
    except OSError as error:
        raise ResultsError(f"{named(path)} cannot be read: {error.strerror}.") from error
    if len(found) > MOST_FILES:
        raise ResultsError(f"{named(path)} holds more than {MOST_FILES} files: give one run's folder.")
    return found


def _walked(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> NoReturn:
        raise error

    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if _counts(name)]
        yield from (file for name in files if _counts(name) and (file := Path(place, name)).is_file())


def _counts(name: str) -> bool:
    return not (re.match(r"~|\.[^.]|__MACOSX$", name) or name.endswith("~"))


def given(paths: Sequence[Path]) -> Iterator[Source]:
    """List the files at these paths as they are, each once, by its name at or below what was given."""
    seen = set()
    for path in paths:
        for file in files_of(path):
            status = file.stat()
            if (status.st_dev, status.st_ino) not in seen:
                name = Path(file.name) if file == path else file.relative_to(path.parent)
                yield Source(path=file, name=named(name))
            seen.add((status.st_dev, status.st_ino))


def _check_holds_something(found: Sequence[Source], listed: str) -> None:
    if not found:
        raise ResultsError(f"{listed} holds no file: there is nothing to ingest.")
    if not any(source.head for source in found):
        raise ResultsError(f"{listed} is empty, 0 bytes: there is nothing to ingest. Did the tool end as it should?")
    kinds = [kind for source in found for magic, at, kind in _UNREAD if source.head.startswith(magic, at)]
    if len(kinds) == len(found):
        raise ResultsError(f"{listed} is a {kinds[0]} archive, which is not read: unpack it and ingest that.")


# --- unpacking ---


class _Scratch:
    """A folder for what is unpacked, and how much may still come out of archives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self._left = UNPACKED_FREE

    def allow(self, packed: Source) -> None:
        """Let come out what a sound archive of this size can hold."""
        self._left += UNPACKED_RATIO * packed.path.stat().st_size

    def expect(self, files: int, packed: Source) -> None:
        """Refuse an archive of too many files before the first of them is written."""
        if self._files + files > MOST_FILES:
            raise _too_much(packed)

    def unpack(self, chunks: Iterator[bytes], source: Source) -> Path:
        """Write what comes out of an archive, as long as that is allowed."""
        self.expect(1, source)
        return self.write(self._bounded(chunks, source))

    def write(self, chunks: Iterator[bytes]) -> Path:
        """Write into a fresh file, under a name of ours: those in archives are no paths."""
        self._files += 1
        target = self._folder / str(self._files)
        with target.open("wb", buffering=0) as file:
            for chunk in chunks:
                self._append(file, chunk)
        return target

    def link(self, path: Path) -> Path:
        """Give a file another path."""
        self._files += 1
        target = self._folder / str(self._files)
        target.symlink_to(path.absolute())
        return target

    def _bounded(self, chunks: Iterator[bytes], source: Source) -> Iterator[bytes]:
        for chunk in chunks:
            self._left -= len(chunk)
            if self._left < 0:
                raise _too_much(source)
            yield chunk

    def _append(self, file: io.FileIO, chunk: bytes) -> None:
        try:
            while chunk:
                chunk = chunk[file.write(chunk) :]
        except OSError as error:
            if error.errno not in FULL:
                raise
            place = f"the disk of {self._folder.parent} is full, and archives are unpacked there"
            raise ResultsError(f"{place}: free some space, or set TMPDIR to a folder that has it.") from error


def _too_much(packed: Source) -> ResultsError:
    return ResultsError(
        f"{packed.name} unpacks to more than {UNPACKED_RATIO} times its size, or to {MOST_FILES} files: "
        "nothing was taken in. If it is sound, unpack it yourself and ingest that."
    )


def _plain(source: Source, scratch: _Scratch, depth: int = 0) -> list[Source]:
    """Give the plain files that a file holds: itself, or what comes out of it."""
    try:
        with source.path.open("rb") as file:
            head = file.read(_HEAD)
        unpack = next((unpack for magic, unpack in _PACKED if magic.match(head)), None)
        if unpack is None and not _ZIP.match(head):
            return [_reachable(_as_utf8(source, head, scratch), scratch)]
        if depth == DEEPEST:
            raise ResultsError(f"{source.name} is packed more than {DEEPEST} times: unpack it and ingest that.")
        if depth == 0:
            scratch.allow(source)
        members = _members(source, scratch) if unpack is None else [_unpacked(source, unpack, scratch)]
        return [plain for member in members for plain in _plain(member, scratch, depth + 1)]
    except _BAD_ARCHIVE as error:
        raise ResultsError(f"{source.name} cannot be unpacked: {error}. Is it whole?") from error
    except OSError as error:
        raise ResultsError(f"{source.name} cannot be read: {error.strerror or error}.") from error


def _reachable(source: Source, scratch: _Scratch) -> Source:
    """Give a file another path if DuckDB does not take its own: no Unicode, a pattern, or ``column=value`` in it."""
    path = os.fsencode(source.path.absolute())
    is_plain = path.decode(errors="replace") == str(source.path.absolute()) and not set(b"*?[=") & set(path)
    return source if is_plain else replace(source, path=scratch.link(source.path))


def _unpacked(source: Source, unpack: Callable[[Path], Any], scratch: _Scratch) -> Source:
    """Unpack a compressed file; of one whose writer was killed, what there is."""
    cut: list[EOFError] = []

    def chunks(packed: IO[bytes]) -> Iterator[bytes]:
        try:
            yield from _chunks(packed)
        except EOFError as error:
            cut.append(error)

    with closing(unpack(source.path)) as packed:
        path = scratch.unpack(chunks(packed), source)
    if cut and not path.stat().st_size:
        raise cut[0]
    return Source(path=path, name=_SUFFIX.sub("", source.name), truncated=bool(cut))


def _members(source: Source, scratch: _Scratch) -> Iterator[Source]:
    with zipfile.ZipFile(source.path) as archive:
        members = [member for member in archive.infolist() if _is_file(member)]
        scratch.expect(len(members), source)
        for member in sorted(members, key=lambda member: member.filename):
            with archive.open(member) as packed:
                path = scratch.unpack(_chunks(packed), source)
            yield Source(path=path, name=f"{source.name}: {member.filename}")


def _is_file(member: zipfile.ZipInfo) -> bool:
    return not member.is_dir() and all(map(_counts, member.filename.split("/")))


def _chunks(packed: Any) -> Iterator[bytes]:
    """Yield what comes as it comes: ``read`` would lose what stands before the place where a file was cut."""
    while chunk := packed.read1(_CHUNK):
        yield chunk


# --- text ---


def _as_utf8(source: Source, head: bytes, scratch: _Scratch) -> Source:
    """Take the mark off a text, and make it UTF-8: what PowerShell redirects into a file is UTF-16."""
    if (encoding := _marked_encoding(head)) is None:
        return source
    with source.path.open(encoding=encoding, errors="replace", newline="") as file:
        path = scratch.write(_recoded(file))
    return replace(source, path=path)


def _marked_encoding(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    # numbers may begin with the same bytes; texts of tools go on with ASCII
    return "utf-16" if re.match(rb"\xff\xfe[\x01-\x7f]\x00|\xfe\xff\x00[\x01-\x7f]", head) else None


def _recoded(file: IO[str]) -> Iterator[bytes]:
    chunk = _XML_ENCODING.sub(r"\1utf-8", file.read(_CHUNK), count=1)
    while chunk:
        yield chunk.encode()
        chunk = file.read(_CHUNK)
