"""The files of one run: what the user named, how they are to be read, and what is in them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ator_lib.errors import NotFoundError, ResultsError, UsageError
from ator_lib.readers.base import NO_OPTIONS, ReadOptions, named
from ator_lib.readers.formats import reader
from ator_lib.readers.sources import files_of


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of one run, and how they are to be read.

    Parameters
    ----------
    paths
        Files and folders, archives and compressed files among them.
    format
        Name of the reader; ``None`` finds it by the content.
    max_rejected_rate
        Share of rows (0 to 1) that may be left out because they cannot be read.

    Raises
    ------
    UsageError
        ``max_rejected_rate`` is no such share.
    """

    paths: tuple[Path, ...]
    format: str | None = None
    options: ReadOptions = NO_OPTIONS
    max_rejected_rate: float = 0.01

    def __post_init__(self) -> None:
        if self.format is not None:
            reader(self.format)  # a name that is wrong is told before anything is looked at
        if not 0 <= self.max_rejected_rate <= 1:  # also what is no number
            raise UsageError(
                f"max_rejected_rate is {self.max_rejected_rate:g}, which is no share of rows: "
                "give one from 0 to 1, such as 0.01 for 1%"
            )


_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Content:
    """Files as they were found: the SHA-256 of what is in them, and what would show a later change."""

    paths: tuple[Path, ...]
    hash: str
    stamp: _Stamp


def content_of(files: Files) -> Content:
    """Look at the files; read in another way, with other columns or another zone, they are other content.

    Raises
    ------
    NotFoundError
        There is nothing at a path.
    ResultsError
        It cannot be read.
    """
    paths, options = files.paths, files.options
    try:
        stamp = _stamp_of(paths)
        digest = _sha256(paths[0]) if len(paths) == 1 and paths[0].is_file() else _sha256_of_all(paths)
    except OSError as error:
        raise ResultsError(f"{listed(paths)} cannot be read: {error.strerror}.") from error
    if options != NO_OPTIONS:
        said = f"{digest} {sorted(options.columns.items())} {options.zone} {options.started_at}"
        digest = hashlib.sha256(said.encode()).hexdigest()
    return Content(paths=paths, hash=digest, stamp=stamp)


def check_unchanged(content: Content) -> None:
    """Look again, after the files were read.

    Raises
    ------
    ResultsError
        They are not what they were.
    """
    with suppress(OSError, NotFoundError):  # what is gone has changed, too
        if _stamp_of(content.paths) == content.stamp:
            return
    raise ResultsError(
        f"{listed(content.paths)} changed while it was read: nothing was kept. Ingest it when its writer has ended."
    )


def _stamp_of(paths: tuple[Path, ...]) -> _Stamp:
    found = [(file, file.stat()) for path in paths for file in files_of(path)]
    return tuple((str(file), status.st_size, status.st_mtime_ns) for file, status in found)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of_all(paths: tuple[Path, ...]) -> str:
    """Hash what ``sha256sum`` would say of all files, each by its name below what was given."""
    lines = [
        f"{_sha256(file)}  {named(file.relative_to(path) if path.is_dir() else Path(file.name))}\n"
        for path in paths
        for file in files_of(path)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def listed(paths: tuple[Path, ...]) -> str:
    """Show the first paths in a message."""
    return ", ".join(named(path) for path in paths[:5])
