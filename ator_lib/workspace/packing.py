"""Several files of one run as one, for a server."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ator_lib.readers.base import named
from ator_lib.readers.sources import files_of


@contextmanager
def as_one_file(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the one file that is given, or a zip archive of all of them, which goes when it is left.

    The same files make the same archive, so that a server knows content that it has.

    Raises
    ------
    NotFoundError
        There is nothing at a path.
    ResultsError
        It is no file and no folder, or cannot be read.
    """
    if len(paths) == 1 and not paths[0].is_dir():
        yield files_of(paths[0])[0]
        return
    with TemporaryDirectory(prefix="ator-") as folder:
        archive = Path(folder) / "results.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for path in paths:
                for file in files_of(path):
                    _add(packed, file, named(file.relative_to(path.parent)))
        yield archive


def _add(packed: zipfile.ZipFile, file: Path, name: str) -> None:
    member = zipfile.ZipInfo(name)  # whose time is the first of 1980, whenever the file was written
    member.compress_type = zipfile.ZIP_DEFLATED
    with file.open("rb") as content, packed.open(member, "w", force_zip64=True) as target:
        while chunk := content.read(2**20):
            target.write(chunk)
