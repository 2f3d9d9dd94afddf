from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.errors import ResultsError, StoreError
from ator_lib.readers.base import Reading
from ator_lib.results import folders
from ator_lib.results.folders import ORPHAN_AGE_S, is_ingest_id
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import random_table, reading, sample, table

PROJECT = Path(__file__).parents[2]

FILES = ["errors.parquet", "metrics.parquet", "samples.parquet", "timeline.parquet"]


def start_child(mode: str, root: Path) -> subprocess.Popen[str]:
    """Write synthetic results in another process."""
    argv = [sys.executable, "-m", "tests.results.child", mode, str(root)]
    return subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def broken_reading(error: BaseException) -> Reading:
    """Make a reading that raises after its first batch."""

    def batches() -> Iterator[pa.RecordBatch]:
        yield from random_table(10).to_batches()
        raise error

    whole = reading([])
    return Reading(**{**vars(whole), "samples": pa.RecordBatchReader.from_batches(schema.SAMPLES, batches())})


def make_old(folder: Path) -> None:
    """Pretend that nobody has written there for a long time."""
    then = time.time() - ORPHAN_AGE_S - 1
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def test_a_set_is_complete_and_alone_in_its_folder(store: ParquetStore) -> None:
    """A write leaves one folder with its files, readable by anything that reads Parquet."""
    samples = random_table(3000)
    staged = store.write(reading(samples))
    assert [path.name for path in store.root.iterdir()] == [staged.ingest_id]
    store.keep(staged.ingest_id)
    folder = store.root / staged.ingest_id
    assert sorted(path.name for path in folder.iterdir()) == FILES
    kept = pa.parquet.read_table(folder / "samples.parquet")
    assert kept.schema.equals(schema.SAMPLES)
    assert kept.schema.metadata[b"ator_schema"] == b"1"
    assert kept.equals(samples)
    column = pa.parquet.read_metadata(folder / "samples.parquet").row_group(0).column(1)
    assert column.compression == "ZSTD"


def test_many_small_batches_become_few_row_groups(store: ParquetStore) -> None:
    """A capture comes a second at a time; its file is not cut that finely."""
    staged = store.write(reading(random_table(3000), batch_rows=7))
    assert pa.parquet.read_metadata(store.root / staged.ingest_id / "samples.parquet").num_row_groups == 1


@pytest.mark.parametrize(
    "error", [ValueError("line 7 is odd"), ResultsError("line 7 is odd"), OSError(5, "line 7 is odd")]
)
def test_a_failing_reader_leaves_nothing(store: ParquetStore, error: Exception) -> None:
    """A reader that breaks midway is a ResultsError with its words, and the store is as before."""
    with pytest.raises(ResultsError, match="line 7 is odd"):
        store.write(broken_reading(error))
    assert list(store.root.iterdir()) == []


def test_an_interrupt_leaves_nothing(store: ParquetStore) -> None:
    """Ctrl-C while writing stays what it is, and the store is as before."""
    with pytest.raises(KeyboardInterrupt):
        store.write(broken_reading(KeyboardInterrupt()))
    assert list(store.root.iterdir()) == []


def test_a_null_where_none_may_be_is_refused(store: ParquetStore) -> None:
    """A sample without a name breaks the contract of the table: nothing is kept."""
    nameless = table([sample(0)]).to_pylist()[0] | {"name": None}
    with pytest.raises(ResultsError, match="nothing of them was kept"):
        store.write(reading([nameless]))
    assert list(store.root.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(store: ParquetStore) -> None:
    """A file that cannot grow any more: one clear sentence, nothing half-written."""
    child = start_child("full", store.root)
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert re.fullmatch(r"StoreError: the results cannot be kept in .*: the disk is full, free some space; .*\n", said)
    assert list(store.root.iterdir()) == []


def test_an_unwritable_folder_is_a_store_error(tmp_path: Path) -> None:
    """A file where the store's folder should be: StoreError, and no traceback of the file system."""
    (tmp_path / "results").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be kept in"):
        ParquetStore(tmp_path / "results").write(reading([sample(0)]))


def test_a_killed_writer_leaves_only_a_hidden_folder_that_is_swept_later(store: ParquetStore) -> None:
    """Kill -9 while writing: no set is visible, and the remains go once nobody has touched them for an hour."""
    child = start_child("endless", store.root)
    try:
        deadline = time.monotonic() + 120
        while not list(store.root.glob(".*.tmp/samples.parquet")):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        child.kill()
        child.communicate()
    [remains] = store.root.iterdir()
    assert remains.name.startswith(".")
    assert store.sweep([]) == []
    make_old(remains)
    assert store.sweep([]) == [remains.name[1:-4]]
    assert list(store.root.iterdir()) == []


def test_two_processes_write_at_once(store: ParquetStore) -> None:
    """Each gets a set of its own, and both are whole."""
    children = [start_child("normal", store.root) for _ in range(2)]
    ids = [child.communicate(timeout=120)[0].strip() for child in children]
    assert sorted(ids) == sorted(path.name for path in store.root.iterdir())
    assert all(is_ingest_id(ingest_id) for ingest_id in ids)
    assert [store.samples(ingest_id).num_rows for ingest_id in ids] == [20_000, 20_000]


def test_sweep_keeps_known_young_and_foreign_things(store: ParquetStore) -> None:
    """Only sets go that no run knows and that are old; what is no set of ours is never touched."""
    known, young, orphan, kept = (store.write(reading([sample(0)])).ingest_id for _ in range(4))
    store.keep(kept)  # by another registry that shares the folder, which this one knows nothing of
    (store.root / "mine").mkdir()
    for name in (known, orphan, kept, "mine"):
        make_old(store.root / name)
    assert store.sweep({known}) == [orphan]
    assert sorted(path.name for path in store.root.iterdir()) == sorted([known, young, kept, "mine"])


def test_sweep_of_a_store_without_a_folder_finds_nothing(store: ParquetStore) -> None:
    """Before the first write there is nothing to sweep."""
    assert store.sweep([]) == []


def test_discard_removes_a_set_and_may_be_said_twice(store: ParquetStore) -> None:
    """A discarded set is gone; discarding what is not there does nothing."""
    staged, other = (store.write(reading([sample(0)])) for _ in range(2))
    store.discard(staged.ingest_id)
    store.discard(staged.ingest_id)
    assert [path.name for path in store.root.iterdir()] == [other.ingest_id]


@pytest.mark.parametrize("hidden", ["staging", "scratch"])
def test_a_folder_in_use_is_never_swept(store: ParquetStore, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    """However long nothing is written into it: it is touched from time to time."""
    monkeypatch.setattr(folders, "FRESHENED_S", 0.01)
    ingest_id = folders.new_ingest_id()
    with folders.staging(store.root, ingest_id) if hidden == "staging" else folders.scratch(store.root) as folder:
        make_old(folder)
        until = time.monotonic() + 30
        while folder.stat().st_mtime < time.time() - ORPHAN_AGE_S and time.monotonic() < until:
            time.sleep(0.01)
        assert store.sweep(set()) == []
        assert folder.is_dir()
