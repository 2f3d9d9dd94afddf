"""From what the user names to plain files: folders are walked, archives unpacked, all within bounds."""

from __future__ import annotations

import gzip
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from ator_lib.errors import NotFoundError, ResultsError
from ator_lib.readers.base import Source, named

MOST_FILES = 10_000
"""Files of one run, more than which is a mistake."""

UNPACKED_RATIO = 200
UNPACKED_FREE = 2**30
"""An archive may unpack to ``UNPACKED_FREE`` bytes and ``UNPACKED_RATIO`` times its size: bombs pack better."""

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_CHUNK = 2**20


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[list[Source]]:
    """Yield the plain files that these files and folders hold, sorted; what is unpacked lives until it is left.

    Raises
    ------
    NotFoundError
        There is nothing at a path.
    ResultsError
        It is no file and no folder, holds no file, cannot be read, or unpacks to more than is sound.
    """
    with TemporaryDirectory(prefix="ator-", ignore_cleanup_errors=True) as scratch:
        found = [source for path in paths for source in _plain(path, Path(scratch))]
        if not found:
            raise ResultsError(f"{_listed(paths)} holds no file: there is nothing to ingest.")
        yield found


def files_of(path: Path) -> list[Path]:
    """List the regular files at a path, sorted: to open a pipe would wait for its other end.

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
        found = sorted(file for file in path.rglob("*") if file.is_file())
    except FileNotFoundError as error:
        raise NotFoundError(f"{named(path)} is not there: give a file or a folder of results.") from error
    except OSError as error:
        raise ResultsError(f"{named(path)} cannot be read: {error.strerror}.") from error
    if len(found) > MOST_FILES:
        raise ResultsError(f"{named(path)} holds {len(found)} files, more than {MOST_FILES}: give one run's folder.")
    return found


def _plain(path: Path, scratch: Path) -> Iterator[Source]:
    for file in files_of(path):
        name = file.name if file == path else str(file.relative_to(path.parent))
        yield from _unpacked(Source(path=file, name=named(Path(name))), scratch)


def _unpacked(source: Source, scratch: Path) -> Iterator[Source]:
    try:
        with source.path.open("rb") as file:
            magic = file.read(4)
        if magic.startswith(_GZIP):
            yield _gunzipped(source, scratch)
        elif magic == _ZIP:
            yield from _unzipped(source, scratch)
        else:
            yield source
    except OSError as error:
        raise ResultsError(f"{source.name} cannot be read: {error.strerror or error}.") from error
    except (EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ResultsError(f"{source.name} cannot be unpacked: {error}. Is it whole?") from error


def _gunzipped(source: Source, scratch: Path) -> Source:
    target = _fresh(scratch)
    with gzip.open(source.path) as packed:
        _copy(cast("IO[bytes]", packed), target, _Bound(source))
    return Source(path=target, name=source.name.removesuffix(".gz"))


def _unzipped(source: Source, scratch: Path) -> Iterator[Source]:
    bound = _Bound(source)
    with zipfile.ZipFile(source.path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MOST_FILES:
            raise ResultsError(f"{source.name} holds {len(members)} files, more than {MOST_FILES}.")
        for member in sorted(members, key=lambda member: member.filename):
            target = _fresh(scratch)
            with archive.open(member) as packed:
                _copy(packed, target, bound)
            yield from _members(Source(path=target, name=f"{source.name}: {member.filename}"), scratch)


def _members(source: Source, scratch: Path) -> Iterator[Source]:
    """Unpack compressed files inside an archive, and no archives inside archives."""
    with source.path.open("rb") as file:
        if file.read(2) == _GZIP:
            yield _gunzipped(source, scratch)
        else:
            yield source


class _Bound:
    """How much may still come out of one archive."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.left = UNPACKED_FREE + UNPACKED_RATIO * source.path.stat().st_size

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ResultsError(
                f"{self._source.name} unpacks to more than {UNPACKED_RATIO} times its size: nothing was taken in. "
                "If it is sound, unpack it yourself and ingest that."
            )


def _copy(packed: IO[bytes], target: Path, bound: _Bound) -> None:
    with target.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            bound.take(len(chunk))
            file.write(chunk)


def _fresh(scratch: Path) -> Path:
    """Give a new path; names out of archives are no paths of ours."""
    return scratch / str(sum(1 for _ in os.scandir(scratch)))


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(named(path) for path in paths[:5])
