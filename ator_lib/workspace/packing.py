"""Several files of one run as one, for a server."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, gettempdir

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Source, named
from ator_lib.readers.sources import given


@contextmanager
def as_one_file(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the one file that is given, or a zip archive of all of them, which goes when it is left.

    The same files make the same archive, so that a server knows content that it has.

    Raises
    ------
    NotFoundError
        There is nothing at a path.
    ResultsError
        It is no file and no folder, or cannot be read, or there is no room for the archive.
    """
    with ExitStack() as used:
        try:
            file = _one_file(list(given(paths)), paths, used)
        except OSError as error:
            listed = ", ".join(named(path) for path in paths[:5])
            place = named(Path(error.filename)) if error.filename else gettempdir()
            raise ResultsError(
                f"{listed} cannot be packed for the server: {place}: {error.strerror}. "
                "Make the files readable, or free some space, or set TMPDIR to a folder that has it."
            ) from error
        yield file


def _one_file(sources: Sequence[Source], paths: Sequence[Path], used: ExitStack) -> Path:
    if [source.path for source in sources] == [paths[0]]:
        return paths[0]
    archive = Path(used.enter_context(TemporaryDirectory(prefix="ator-"))) / "results.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for source in sources:
            _add(packed, source)
    return archive


def _add(packed: zipfile.ZipFile, source: Source) -> None:
    member = zipfile.ZipInfo(_free_name(packed, source.name))  # of the first of 1980, whenever the file was written
    member.compress_type = zipfile.ZIP_DEFLATED
    with source.path.open("rb") as content, packed.open(member, "w", force_zip64=True) as target:
        while chunk := content.read(2**20):
            target.write(chunk)


def _free_name(packed: zipfile.ZipFile, name: str) -> str:
    """Give a name, numbered if another file has it: a/run.csv and b/run.csv become run.csv and run-2.csv."""
    path, taken = PurePosixPath(name), packed.NameToInfo
    numbered = (str(path.with_name(f"{path.stem}-{number}{path.suffix}")) for number in count(2))
    return next(candidate for candidate in chain([name], numbered) if candidate not in taken)
