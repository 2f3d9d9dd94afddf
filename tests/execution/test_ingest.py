"""Files of results become a run's own: all of them or nothing, once, whoever is killed and whoever races."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from ator_lib.errors import ConflictError, NotFoundError, ResultsError, UsageError
from ator_lib.execution.files import Files
from ator_lib.execution.ingest import Ingester
from ator_lib.model import Run, RunRequest, RunStatus, StatusReason
from ator_lib.readers import formats
from ator_lib.readers.base import Reading, ReadOptions
from ator_lib.registry.registry import Registry
from ator_lib.results import index
from ator_lib.results.base import Ingest, StagedResults
from ator_lib.results.parquet import ParquetStore
from ator_lib.sql.engine import open_engine, read, write
from ator_lib.sql.tables import ingests, summaries, test_executions
from tests.support.files import START, synthetic_csv


@pytest.fixture
def registry(engine: Engine) -> Registry:
    """The registry of a fresh database of each kind."""
    return Registry(engine)


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    """An empty store."""
    return ParquetStore(tmp_path / "results")


@pytest.fixture
def ingester(registry: Registry, engine: Engine, store: ParquetStore) -> Ingester:
    """Take files into that store, for that registry."""
    return ingester_with(store, registry, engine)


@pytest.fixture
def run(registry: Registry) -> Run:
    """A run that somebody registered and that is running."""
    return registry.register(RunRequest(test="synthetic"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three synthetic requests."""
    return synthetic_csv(tmp_path / "samples.csv")


def of(path: Path, format: str | None = None) -> Files:
    return Files(paths=(path,), format=format)


def ingester_with(store: ParquetStore, registry: Registry, engine: Engine) -> Ingester:
    return Ingester(registry=registry, engine=engine, store=store, max_error_rate=0.01)


def kept_sets(store: ParquetStore) -> list[str]:
    return sorted(path.name for path in store.root.iterdir()) if store.root.is_dir() else []


def rows(engine: Engine) -> tuple[int, int, int]:
    """Count runs, ingests and summaries."""
    with read(engine) as connection:
        runs, sets, kept = (
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (test_executions, ingests, summaries)
        )
    return runs, sets, kept


# --- attached to a registered run ---


def test_results_are_attached_to_a_running_run(
    ingester: Ingester, engine: Engine, registry: Registry, store: ParquetStore, run: Run, file: Path
) -> None:
    """Samples and summaries are there, the run runs on, and the hash is what sha256sum says."""
    ingest = ingester.attach(of(file), run.run_id)
    assert (ingest.run_id, ingest.samples, ingest.truncated) == (run.run_id, 3, False)
    assert (ingest.started_at, ingest.ended_at) == (START, START + timedelta(seconds=2, milliseconds=30))
    assert ingest.content_hash == hashlib.sha256(file.read_bytes()).hexdigest()
    assert registry.get(run.run_id) == run
    assert store.samples(ingest.ingest_id)["duration_ms"].to_pylist() == [10.0, 20.0, 30.0]
    total = index.summaries(engine, [run.run_id]).to_pylist()[-1]
    assert (total["scope"], total["requests"], total["max_ms"]) == ("total", 3, 30.0)
    with read(engine) as connection:
        assert index.details_of(connection, run.run_id) == ingest


def test_the_same_content_again_changes_nothing(
    ingester: Ingester, engine: Engine, store: ParquetStore, run: Run, file: Path
) -> None:
    """Content counts, not the name of its file."""
    first = ingester.attach(of(file), run.run_id)
    before = rows(engine)
    assert ingester.attach(of(file.rename(file.with_name("again.txt"))), run.run_id) == first
    assert rows(engine) == before
    assert kept_sets(store) == [first.ingest_id]


def test_other_content_is_refused(
    ingester: Ingester, engine: Engine, store: ParquetStore, run: Run, file: Path
) -> None:
    """A run has one set of results; the first stays."""
    first = ingester.attach(of(file), run.run_id)
    with pytest.raises(ConflictError, match=f"run {run.run_id} has results of other content"):
        ingester.attach(of(synthetic_csv(file, [1.0])), run.run_id)
    assert kept_sets(store) == [first.ingest_id]
    assert rows(engine)[:2] == (1, 1)


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_run_takes_results_unless_it_waits(
    ingester: Ingester, engine: Engine, run: Run, file: Path, status: RunStatus
) -> None:
    """Ended runs take them too, however they ended; one in the queue has none yet."""
    with write(engine) as connection:
        connection.execute(update(test_executions).values(status=status.value))
    if status is RunStatus.QUEUED:
        with pytest.raises(ConflictError, match="is queued"):
            ingester.attach(of(file), run.run_id)
    else:
        assert ingester.attach(of(file), run.run_id).samples == 3


def test_a_run_under_execution_is_left_alone(ingester: Ingester, registry: Registry, file: Path) -> None:
    """Its executor ingests at the end, and must not find other results there."""
    executed = registry.register(RunRequest(tool="locust"), lease_s=60)
    with pytest.raises(ConflictError, match="is being executed"):
        ingester.attach(of(file), executed.run_id)


def test_no_such_run(ingester: Ingester, store: ParquetStore, file: Path) -> None:
    """Nothing is read for a run that is not there."""
    with pytest.raises(NotFoundError, match="4711"):
        ingester.attach(of(file), 4711)
    assert kept_sets(store) == []


def test_what_was_taken_for_granted_stands_in_the_report(ingester: Ingester, run: Run, tmp_path: Path) -> None:
    """Times without a zone are read as UTC, and people can see that."""
    naive = tmp_path / "naive.csv"
    naive.write_text("duration_ms,success,started_at\n1,true,2026-11-02 10:00:00\n")
    report = ingester.attach(of(naive), run.run_id).report
    assert report is not None
    assert "UTC" in report.notes[0]


def test_a_folder_is_one_run(ingester: Ingester, run: Run, tmp_path: Path) -> None:
    """An empty one is refused as such; what no reader knows is said; the names of the files count."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ResultsError, match="nothing to ingest"):
        ingester.attach(of(folder), run.run_id)
    file = synthetic_csv(folder / "a.csv")
    (folder / "notes.txt").write_text("quick before lunch")
    first = ingester.attach(of(folder), run.run_id)
    assert first.report is not None
    assert first.report.files == ("folder/a.csv",)
    assert first.report.notes == ("not read: folder/notes.txt",)
    file.rename(folder / "b.csv")
    with pytest.raises(ConflictError, match="other content"):
        ingester.attach(of(folder), run.run_id)


def test_read_in_another_way_it_is_other_content(ingester: Ingester, run: Run, file: Path) -> None:
    """Columns that were named wrongly at first are not kept for ever."""
    ingester.attach(of(file), run.run_id)
    other = Files(paths=(file,), options=ReadOptions(columns={"duration_ms": "duration_ms:s"}))
    with pytest.raises(ConflictError, match="other content"):
        ingester.attach(other, run.run_id)
    first, second = (ingester.add(files, RunRequest(test="t")) for files in (of(file), other))
    assert first.run_id != second.run_id
    assert ingester.add(other, RunRequest(test="t")) == second


# --- a run of their own ---


def test_a_file_makes_a_finished_run(ingester: Ingester, registry: Registry, file: Path) -> None:
    """Times are the file's; it takes no place, and has no location unless one is given."""
    ingest = ingester.add(of(file), RunRequest(test="checkout", stream="main"))
    made = registry.get(ingest.run_id)
    assert (made.status, made.status_reason) == (RunStatus.SUCCESS, None)
    assert (made.start_time, made.end_time) == (ingest.started_at, ingest.ended_at)
    assert (made.test, made.stream, made.location, made.factor, made.tool) == ("checkout", "main", None, None, None)


def test_too_many_failures_make_it_a_failure(ingester: Ingester, registry: Registry, tmp_path: Path) -> None:
    """By the same rule as for executed runs."""
    bad = synthetic_csv(tmp_path / "bad.csv", [1.0] * 50, failures=1)
    made = registry.get(ingester.add(of(bad), RunRequest()).run_id)
    assert (made.status, made.status_reason) == (RunStatus.FAILURE, StatusReason.REQUESTS_FAILED)


def test_unknown_times_stay_unknown(ingester: Ingester, registry: Registry, tmp_path: Path) -> None:
    """A file without times makes a run without them."""
    timeless = tmp_path / "timeless.csv"
    timeless.write_text("duration_ms,success\n1,true\n")
    made = registry.get(ingester.add(of(timeless), RunRequest()).run_id)
    assert (made.start_time, made.end_time) == (None, None)


def test_the_same_content_and_identity_is_the_same_run(
    ingester: Ingester, engine: Engine, store: ParquetStore, file: Path
) -> None:
    """Test, stream and location are the identity; what else is said does not make a new run, another identity does."""
    identity = RunRequest(test="t", stream="s", location="lab")
    first = ingester.add(of(file), identity)
    assert ingester.add(of(file), identity) == first
    assert ingester.add(of(file), RunRequest(test="t", stream="s", location="lab", environment="x")) == first
    others = [RunRequest(test="t", stream="s"), RunRequest(test="T", stream="s", location="lab"), RunRequest()]
    made = {ingester.add(of(file), other).run_id for other in [*others, *others]}
    assert len(made) == 3
    assert first.run_id not in made
    assert rows(engine)[:2] == (4, 4)
    assert len(kept_sets(store)) == 4


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no format that is known"),
        (b"PAR1 cut short", "cannot be read"),
        (b"duration_ms,success\n1,true\nNaN,true\n", "1 of 2 rows cannot be read.*bad.csv, line 3: duration_ms is no"),
        (b"duration_ms,success\n1,true\n2,true\n-3,true\n", "line 4: duration_ms is below 0"),
        (b"duration_ms," + b",".join(b"c%d" % i for i in range(299)) + b"\n", "'c0'.* and 294 more"),
    ],
    ids=["empty", "png", "truncated", "nan", "negative", "300 columns"],
)
def test_bad_files_change_nothing(
    ingester: Ingester, engine: Engine, store: ParquetStore, tmp_path: Path, run: Run, content: bytes, words: str
) -> None:
    """One sentence that names the file and the reason; no run, no row, nothing in the store."""
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content)
    for ingest in (lambda: ingester.attach(of(bad), run.run_id), lambda: ingester.add(of(bad), RunRequest())):
        with pytest.raises(ResultsError, match=words) as caught:
            ingest()
        assert bad.name in str(caught.value)
    assert rows(engine) == (1, 0, 0)
    assert kept_sets(store) == []


@pytest.mark.parametrize("share", [float("nan"), -0.01, 1.01, 5])
def test_a_share_of_rows_is_between_0_and_1(file: Path, share: float) -> None:
    """Nothing is read by a rule that makes no sense."""
    with pytest.raises(UsageError, match=r"max_rejected_rate is .*from 0 to 1"):
        Files(paths=(file,), max_rejected_rate=share)


@pytest.mark.parametrize(("share", "words"), [(0.005, "0.5%"), (0.0, "0%"), (0.125, "12.5%"), (0.3, "30%")])
def test_the_share_that_was_allowed_is_said(ingester: Ingester, tmp_path: Path, share: float, words: str) -> None:
    """As it was given."""
    bad = tmp_path / "bad.csv"
    bad.write_text("duration_ms,success\n1,true\n-1,true\n")
    with pytest.raises(ResultsError, match=f"1 of 2 rows cannot be read, more than {words}: nothing"):
        ingester.add(Files(paths=(bad,), max_rejected_rate=share), RunRequest())


@pytest.mark.parametrize("place", ["at once", "while it is consumed"])
def test_a_reader_that_stumbles(
    ingester: Ingester, store: ParquetStore, stumbling: None, tmp_path: Path, place: str
) -> None:
    """Readers are also other packages': whatever they raise, and when, names the file and leaves nothing."""
    file = tmp_path / "tally.txt"
    file.write_text(place)
    with pytest.raises(ResultsError, match=r"tally\.txt: the (results|samples) cannot be read: division by zero"):
        ingester.add(of(file, format="stumbling"), RunRequest())
    assert kept_sets(store) == []


@pytest.fixture
def stumbling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package with a reader that breaks."""
    info = tmp_path / "site" / "stumbling-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stumbling\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ator.readers]\nstumbling = stumbling_reader:StumblingReader\n")
    (info.parent / "stumbling_reader.py").write_text(STUMBLING)
    monkeypatch.syspath_prepend(info.parent)
    formats._added.cache_clear()
    yield
    monkeypatch.undo()
    formats._added.cache_clear()


STUMBLING = """
import pyarrow as pa
from ator_lib import schema
from ator_lib.readers.base import Format, Reading


class StumblingReader:
    about = Format(name="stumbling", files="any", gives="nothing", precision="none")

    def recognises(self, source):
        return False

    def read(self, sources, options):
        if sources[0].head == b"at once":
            1 / 0
        rows = (1 / 0 for _ in range(1))
        return Reading(tool=None, precision="none", samples=pa.RecordBatchReader.from_batches(schema.SAMPLES, rows))
"""


@pytest.mark.parametrize("kind", ["missing", "pipe"])
def test_what_is_no_file_is_not_waited_for(ingester: Ingester, tmp_path: Path, run: Run, kind: str) -> None:
    """A path that leads nowhere, or to a pipe that nobody writes to."""
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    for name in (None, "samples"):
        with pytest.raises((NotFoundError, ResultsError), match=kind):
            ingester.attach(of(path, format=name), run.run_id)


def test_an_unknown_format_is_bad_usage(ingester: Ingester, run: Run, file: Path) -> None:
    """The formats that there are are listed."""
    with pytest.raises(UsageError, match=r"capture.*samples"):
        ingester.attach(of(file, format="cobol"), run.run_id)


def test_a_name_that_is_no_unicode(ingester: Ingester, run: Run, tmp_path: Path) -> None:
    """Such a file is read like any other, and its errors can be printed."""
    odd = tmp_path / os.fsdecode(b"\xff.csv")
    synthetic_csv(tmp_path / "plain.csv").rename(odd)
    assert ingester.attach(of(odd), run.run_id).samples == 3
    odd.write_text("duration_ms,success\n-1,true\n")
    with pytest.raises(ResultsError) as caught:
        ingester.add(of(odd), RunRequest())
    assert str(caught.value).encode()


class MeddledStore(ParquetStore):
    """The real store; something happens once it has written."""

    def __init__(self, root: Path, meddle: Callable[[], object]) -> None:
        super().__init__(root)
        self.meddle = meddle

    def write(self, reading: Reading) -> StagedResults:
        staged = super().write(reading)
        self.meddle()
        return staged


@pytest.mark.parametrize("change", ["longer", "gone"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, registry: Registry, engine: Engine, run: Run, file: Path, change: str
) -> None:
    """What was kept would not be what was hashed; nothing is."""
    meddle = file.unlink if change == "gone" else lambda: file.write_text(file.read_text() + "more")
    store = MeddledStore(tmp_path / "results", meddle)
    with pytest.raises(ResultsError, match="changed while it was read"):
        ingester_with(store, registry, engine).attach(of(file), run.run_id)
    assert rows(engine) == (1, 0, 0)
    assert kept_sets(store) == []


def test_a_run_that_is_deleted_meanwhile_gets_nothing(
    tmp_path: Path, registry: Registry, engine: Engine, run: Run, file: Path
) -> None:
    """The results do not bring it back, and are not left behind."""

    def delete() -> None:
        registry.complete(run.run_id, "success")
        with write(engine) as connection:
            registry.remove(run.run_id, connection=connection)

    store = MeddledStore(tmp_path / "results", delete)
    with pytest.raises(NotFoundError, match="was deleted while"):
        ingester_with(store, registry, engine).attach(of(file), run.run_id)
    assert rows(engine) == (0, 0, 0)
    assert kept_sets(store) == []


def test_a_file_that_vanishes_before_it_is_read(tmp_path: Path, registry: Registry, engine: Engine, file: Path) -> None:
    """The reader says so, and nothing is left."""

    class Store(ParquetStore):
        def write(self, reading: Reading) -> StagedResults:
            file.unlink()
            return super().write(reading)

    store = Store(tmp_path / "results")
    with pytest.raises(ResultsError, match=r"samples\.csv cannot be read"):
        ingester_with(store, registry, engine).add(of(file), RunRequest())
    assert kept_sets(store) == []


def test_a_request_that_is_off_leaves_nothing(
    ingester: Ingester, engine: Engine, store: ParquetStore, file: Path
) -> None:
    """What is wrong with the run that is to be made shows late, and takes the results with it."""
    for bad in (RunRequest(test="half a \udc80"), RunRequest(environment="nul \0")):
        with pytest.raises(UsageError):
            ingester.add(of(file), bad)
    assert rows(engine) == (0, 0, 0)
    assert kept_sets(store) == []


# --- two at once: one has read its file when the other begins, and commits before it ---


@pytest.fixture
def other_ingester(database_url: str, store: ParquetStore) -> Iterator[Ingester]:
    """Somebody else on the same database and store."""
    other_engine = open_engine(database_url)
    yield ingester_with(store, Registry(other_engine), other_engine)
    other_engine.dispose()


def test_two_that_give_a_run_the_same(
    other_ingester: Ingester, registry: Registry, engine: Engine, tmp_path: Path, run: Run, file: Path
) -> None:
    """The quicker one's results stay; the other says the same and leaves nothing behind."""
    quicker: list[Ingest] = []
    store = MeddledStore(tmp_path / "results", lambda: quicker.append(other_ingester.attach(of(file), run.run_id)))
    assert [ingester_with(store, registry, engine).attach(of(file), run.run_id)] == quicker
    assert rows(engine) == (1, 1, 3)
    assert kept_sets(store) == [quicker[0].ingest_id]


def test_two_that_give_a_run_different_results(
    other_ingester: Ingester, registry: Registry, engine: Engine, tmp_path: Path, run: Run, file: Path
) -> None:
    """The quicker one's results stay; the other is told."""
    other = synthetic_csv(tmp_path / "other.csv", [1.0])
    store = MeddledStore(tmp_path / "results", lambda: other_ingester.attach(of(other), run.run_id))
    with pytest.raises(ConflictError, match="results of other content"):
        ingester_with(store, registry, engine).attach(of(file), run.run_id)
    assert index.summaries(engine, [run.run_id]).to_pylist()[-1]["requests"] == 1
    assert len(kept_sets(store)) == 1


def test_two_that_make_the_same_run(
    other_ingester: Ingester, registry: Registry, engine: Engine, tmp_path: Path, file: Path
) -> None:
    """There is one run, and both say it."""
    identity, quicker = RunRequest(test="t"), []
    store = MeddledStore(tmp_path / "results", lambda: quicker.append(other_ingester.add(of(file), identity)))
    assert [ingester_with(store, registry, engine).add(of(file), identity)] == quicker
    assert rows(engine) == (1, 1, 3)
    assert len(kept_sets(store)) == 1
