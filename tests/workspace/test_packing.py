"""Several files become one archive that is sent: the same for the same files, and each file once."""

from __future__ import annotations

import random
import resource
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.workspace.packing import as_one_file


def files_in(folder: Path, *names: str) -> list[Path]:
    """Write files that hold their own names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return [folder / name for name in names]


def packed(paths: Sequence[Path]) -> dict[str, str]:
    with as_one_file(paths) as file, zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_files_of_the_same_name_are_numbered(tmp_path: Path) -> None:
    """Later ones, by numbers that are free."""
    files = files_in(tmp_path, "a/run.csv", "b/run-2.csv", "c/run.csv", "d/run.csv", "e/run")
    assert packed(files) == {
        "run.csv": "a/run.csv",
        "run-2.csv": "b/run-2.csv",
        "run-3.csv": "c/run.csv",
        "run-4.csv": "d/run.csv",
        "run": "e/run",
    }


def test_a_file_that_is_named_twice_is_sent_once(tmp_path: Path) -> None:
    """As it is ingested once here; a single one is sent as it is."""
    file, other = files_in(tmp_path, "a.csv", "b.csv")
    assert packed([file, other, file]) == {"a.csv": "a.csv", "b.csv": "b.csv"}
    with as_one_file([file, file]) as sent:
        assert sent == file


def test_an_archive_that_does_not_fit(tmp_path: Path) -> None:
    """It says what to do; an error of whoever uses the archive is left alone."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(random.Random(1).randbytes(200_000))
    with no_file_over(100_000), pytest.raises(ResultsError, match=r"cannot be packed.*TMPDIR"), as_one_file([tmp_path]):
        pass
    with pytest.raises(OSError, match="of mine"), as_one_file([tmp_path]):
        raise OSError("of mine")


def test_no_folder_for_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is named."""
    files = files_in(tmp_path, "a.csv", "b.csv")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(ResultsError, match=r"a\.csv, .*b\.csv cannot be packed.*none"), as_one_file(files):
        pass


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Let the disk be full for every file that becomes longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
