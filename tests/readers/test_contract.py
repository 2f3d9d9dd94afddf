"""What holds for every reader, shown on all recorded results."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import ator_lib as ator
from ator_lib import schema
from ator_lib.model import IngestReport
from ator_lib.readers.base import Source
from ator_lib.readers.formats import FORMATS, reader, reader_for
from ator_lib.readers.sources import opened
from ator_lib.results import index
from tests.support.canonical import check_cases, check_samples, check_summaries, check_table
from tests.support.recorded import RECORDED, Recorded

TABLES = {"timeline": schema.TIMELINE, "metrics": schema.METRICS, "rejected": schema.REJECTED}


class Shelf:
    """A workspace that takes results in, the same ones once."""

    def __init__(self, folder: Path) -> None:
        self.workspace = ator.connect(folder)
        self._runs: dict[Path, int] = {}

    def run(self, path: Path) -> int:
        """Give the run of these results."""
        if path not in self._runs:
            self._runs[path] = self.workspace.ingest(path, test=str(path)).run_id
        return self._runs[path]

    def report(self, path: Path) -> IngestReport:
        report = self.workspace.get(self.run(path)).ingest_report()
        assert report is not None
        return report

    def tables(self, path: Path) -> dict[str, pa.Table]:
        """Give all tables of it, by their names."""
        parts, run = self.workspace.parts, self.run(path)
        ingest = index.ingest_of(parts.engine, run)
        assert ingest is not None
        return {
            "samples": parts.store.samples(ingest),
            "timeline": parts.store.timeline(ingest),
            "metrics": parts.store.metrics(ingest),
            "rejected": parts.store.rejected(ingest),
            "cases": index.cases(parts.engine, [run]).drop_columns(["run_id"]),
            "summaries": index.summaries(parts.engine, [run]).drop_columns(["run_id"]),
        }


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What was taken in already."""
    return Shelf(tmp_path_factory.mktemp("contract"))


every_recorded = pytest.mark.parametrize("recorded", RECORDED, ids=str)


def test_every_reader_has_recorded_results() -> None:
    """Also those who come after us have to show what theirs reads."""
    elsewhere = {"capture"}  # of which real ones are made by tests/runners
    assert {recorded.format for recorded in RECORDED} == set(FORMATS) - elsewhere


@every_recorded
def test_results_are_recognised_by_their_reader_alone(recorded: Recorded) -> None:
    """Readers of other formats say no to each of the files; of one tool's formats the finest is read."""
    with opened([recorded.path]) as sources:
        found, read = reader_for(sources)
        assert found.about.name == recorded.format
        for source in read:
            assert recognised_by(source) == [recorded.format]


def recognised_by(source: Source) -> list[str]:
    return [name for name in FORMATS if reader(name).recognises(source)]


@every_recorded
def test_results_become_canonical_tables(shelf: Shelf, recorded: Recorded) -> None:
    """Types and nulls are the schema's, numbers are finite, times in this century, and no row is lost."""
    tables = shelf.tables(recorded.path)
    check_samples(tables["samples"])
    check_cases(tables["cases"])
    for name, columns in TABLES.items():
        check_table(tables[name], columns)
    report = shelf.report(recorded.path)
    assert report.format == recorded.format
    assert report.rows_kept
    assert report.rows_rejected <= 0.01 * report.rows_read
    assert report.precision


@every_recorded
def test_figures_agree_with_each_other(shelf: Shelf, recorded: Recorded) -> None:
    """Names add up to the total, failures are requests, and percentiles rise."""
    check_summaries(shelf.tables(recorded.path)["summaries"])


@every_recorded
def test_the_same_results_again_are_the_same_run(shelf: Shelf, recorded: Recorded) -> None:
    """Once kept, once there."""
    test = str(recorded.path)
    run = shelf.run(recorded.path)
    assert shelf.workspace.ingest(recorded.path, test=test).run_id == run
    assert list(shelf.workspace.history(test=test).run_id) == [run]


@every_recorded
def test_packed_results_are_the_same(tmp_path: Path, recorded: Recorded) -> None:
    """Each file compressed, and all of them in an archive: the reader gets the same bytes of the same names."""
    packed, archive = tmp_path / recorded.path.name, tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for file in recorded.files():
            relative = file.relative_to(recorded.path.parent)
            members.write(file, relative)
            target = tmp_path / f"{relative}.gz"
            target.parent.mkdir(exist_ok=True, parents=True)
            target.write_bytes(gzip.compress(file.read_bytes()))
    packed = packed if packed.exists() else packed.with_name(f"{packed.name}.gz")
    assert list(contents(packed)) == list(contents(recorded.path))
    assert [content for _, content in contents(archive)] == [content for _, content in contents(recorded.path)]


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    with opened([path]) as sources:
        yield from [(source.name, source.path.read_bytes()) for source in sources]


def some_text() -> list[Recorded]:
    """Pick two of each format that is text."""
    texts = [recorded for recorded in RECORDED if recorded.is_text()]
    return [recorded for name in FORMATS for recorded in [one for one in texts if one.format == name][:2]]


@pytest.mark.parametrize("recorded", some_text(), ids=str)
def test_text_of_windows_is_the_same(shelf: Shelf, tmp_path: Path, recorded: Recorded) -> None:
    """With a byte order mark and lines that end in CRLF."""
    other = tmp_path / recorded.path.name
    for file in recorded.files():
        target = other / file.relative_to(recorded.path)
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    theirs = shelf.tables(other)
    for name, table in shelf.tables(recorded.path).items():
        assert theirs[name].equals(table), name
    reports = [shelf.report(path) for path in (other, recorded.path)]
    assert len({(report.rows_read, report.rows_kept, report.truncated) for report in reports}) == 1


FOLDERS = Path("label=zzz", "elapsed=9999", "metric=x", "type=load", "success=true")
"""Columns of some formats and values for them, as Hive names its folders."""


@pytest.fixture(scope="module")
def shelf_in_folders(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A workspace that lies below such folders itself."""
    return Shelf(tmp_path_factory.mktemp("folders") / FOLDERS)


@pytest.mark.parametrize(
    "recorded", [next(one for one in RECORDED if one.format == name) for name in FORMATS if name != "capture"], ids=str
)
def test_names_of_folders_are_no_data(
    tmp_path: Path, shelf: Shelf, shelf_in_folders: Shelf, recorded: Recorded
) -> None:
    """DuckDB would take ``label=zzz`` above a file for a column of it, in place of its own."""
    there = tmp_path / FOLDERS / recorded.path.name
    there.parent.mkdir(parents=True)
    (shutil.copytree if recorded.path.is_dir() else shutil.copyfile)(recorded.path, there)
    theirs = shelf_in_folders.tables(there)
    for name, table in shelf.tables(recorded.path).items():
        assert theirs[name].equals(table), name
