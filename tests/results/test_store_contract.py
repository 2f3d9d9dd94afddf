"""What every store promises, of each of them: the same rows and figures, all of a set or nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import Engine, select, text, update

from ator_lib import schema
from ator_lib.errors import NotFoundError, ResultsError, StoreError
from ator_lib.readers.base import Findings, Reading, Source
from ator_lib.results import adbc, folders, index, transfer
from ator_lib.results.folders import ORPHAN_AGE_S
from ator_lib.results.parquet import ParquetStore
from ator_lib.results.postgres import PostgresStore
from ator_lib.results.staging import stage
from ator_lib.results.store import Store
from ator_lib.results.transfer import Sending, found
from ator_lib.sql.bulk import bulk_sets, bulk_tables
from ator_lib.sql.engine import open_engine, read, upgrade, write
from tests.results.conftest import new_run
from tests.results.synthetic import START, failed, random_table, reading, sample, users
from tests.results.test_atomicity import broken_reading, make_old


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    """A fresh database."""
    engine = open_engine(postgres_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["parquet", "postgres"])
def each(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Make an empty store of each kind."""
    if request.param == "parquet":
        return ParquetStore(tmp_path / "results")
    return PostgresStore(request.getfixturevalue("postgres"), tmp_path / "scratch")


@pytest.fixture
def reference(tmp_path: Path) -> ParquetStore:
    """What both are compared with."""
    return ParquetStore(tmp_path / "reference")


def whole(rows: int = 3000) -> Reading:
    """Make a reading with something in every table and column."""
    full = sample(11, 5.0, user="u", worker="w", group="g", scenario="s", connect_ms=0.1, ttfb_ms=1e-9, bytes_sent=0)
    odd = [full, sample(None, 2.0, bytes_received=2**60, weight=3), failed(12, error="naïve ☃", method=None)]
    findings = Findings()
    findings.reject(Source(path=Path("x"), name="x.csv"), 7, "not a number", "1,2,x")
    samples = pa.concat_tables([random_table(rows), pa.Table.from_pylist(odd, schema=schema.SAMPLES)])
    given = reading(samples, [users(s, s / 3) for s in range(10)])
    return Reading(**{**vars(given), "findings": findings})


def held(store: Store) -> int:
    """Count what lies in a store, hidden or not."""
    if isinstance(store, ParquetStore):
        return len(list(store.root.iterdir())) if store.root.is_dir() else 0
    with read(store._engine) as connection:
        tables = (bulk_sets, *bulk_tables.values())
        return sum(len(set(connection.scalars(select(table.c.set_key)))) for table in tables)


def grow_old(store: Store, ingest_id: str) -> None:
    """Pretend that nobody has touched a set for a long time."""
    if isinstance(store, ParquetStore):
        make_old(store.root / ingest_id)
    else:
        then = datetime.now(UTC) - timedelta(seconds=ORPHAN_AGE_S + 1)
        with write(store._engine) as connection:
            connection.execute(update(bulk_sets).where(bulk_sets.c.ingest_id == ingest_id).values(staged_at=then))


READS: dict[str, Callable[[Store, str], pa.Table]] = {
    "samples": lambda store, id_: store.samples(id_),
    "columns": lambda store, id_: store.samples(id_, columns=["user", "duration_ms", "group"]),
    "where": lambda store, id_: store.samples(id_, columns=["name"], where='duration_ms > 20 AND "user" IS NULL'),
    "timeline": lambda store, id_: store.timeline(id_),
    "other timeline": lambda store, id_: store.timeline(id_, 2.5),
    "metrics": lambda store, id_: store.metrics(id_),
    "rejected": lambda store, id_: store.rejected(id_),
    "distributions": lambda store, id_: store.distributions(id_),
    "distributions of blocks": lambda store, id_: store.distributions(id_, block_s=2.0),
    "blocks": lambda store, id_: store.blocks(id_, 2.0).distributions,
    "timeline of blocks": lambda store, id_: store.blocks(id_, 2.0).timeline,
    "errors": lambda store, id_: store.errors(id_),
}


def rounded(table: pa.Table) -> pa.Table:
    """Sums of floats depend on their order in the last digits; all else is compared as it is."""
    for position, field in enumerate(table.schema):
        if field.name in ("mean_ms", "stddev_ms"):
            values = [None if value is None else float(f"{value:.12g}") for value in table[field.name].to_pylist()]
            table = table.set_column(position, field, pa.array(values, pa.float64()))
    return table


def test_both_stores_hold_and_compute_the_same(each: Store, reference: ParquetStore) -> None:
    """Every way to read a set gives the same rows, in the same order and of the same types."""
    staged, expected = each.write(whole()), reference.write(whole())
    assert rounded(staged.summaries).equals(rounded(expected.summaries))
    assert staged.samples == 3003
    for name, look in READS.items():
        table = look(each, staged.ingest_id)
        assert rounded(table).equals(rounded(look(reference, expected.ingest_id))), name
        assert table.num_rows > 0, name


def test_an_empty_set_is_one(each: Store) -> None:
    """A run of cases alone has no samples, and its tables have their columns."""
    nothing = Reading(tool=None, precision=schema.EXACT)
    ingest_id = each.write(nothing).ingest_id
    for name, look in READS.items():
        assert look(each, ingest_id).num_rows == 0, name


def test_a_tools_own_tables_are_kept(each: Store) -> None:
    """Without samples its distributions and its timeline stand for them."""
    bins = {"name": None, "method": None, "block_start": None, "lower_ms": 0.0, "upper_ms": 5.0, "count": 3}
    row = {"interval_start": START, "interval_s": 10.0, "requests": 3, "failures": 0, "throughput_rps": 0.3}
    given = Reading(
        tool="synthetic",
        precision="±1%",
        distributions=pa.Table.from_pylist([bins], schema=schema.DISTRIBUTIONS),
        timeline=pa.Table.from_pylist([row], schema=schema.TIMELINE),
    )
    ingest_id = each.write(given).ingest_id
    blocks = each.blocks(ingest_id, 1.0)
    assert each.distributions(ingest_id).equals(given.distributions)
    assert (blocks.distributions.to_pylist(), blocks.timeline["requests"].to_pylist()) == ([bins], [3])


def test_nul_characters_are_replaced(each: Store) -> None:
    """PostgreSQL has no room for them, so they are U+FFFD everywhere."""
    given = reading([sample(0, name="/a\0b"), failed(1, error="\0")], [users(0, 1, source="w\0")])
    staged = each.write(given)
    assert each.samples(staged.ingest_id)["name"].to_pylist() == ["/a\ufffdb", "/a"]
    assert each.errors(staged.ingest_id)["error"].to_pylist() == ["\ufffd"]
    assert each.metrics(staged.ingest_id)["source"].to_pylist() == ["w\ufffd"]
    assert staged.summaries["name"].to_pylist() == ["/a", "/a\ufffdb", None]


@pytest.mark.parametrize("ingest_id", ["20261102T100000-0123456789abcdef", "../secrets", "it's", ""])
def test_what_is_not_there(each: Store, ingest_id: str) -> None:
    """An unknown id is a NotFoundError to whoever reads, and nothing to whoever removes."""
    each.write(reading([sample(0)]))
    with pytest.raises(NotFoundError, match="are missing"):
        each.samples(ingest_id)
    assert each.sample_bytes("20261102T100000-0123456789abcdef") == 0


@pytest.mark.parametrize("error", [ValueError("line 7 is odd"), OSError(5, "line 7 is odd"), KeyboardInterrupt()])
def test_a_failing_reader_leaves_nothing(each: Store, error: BaseException) -> None:
    """Whatever it raises after its first batch."""
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ResultsError):
        each.write(broken_reading(error))
    assert held(each) == 0


def test_discard_removes_a_set_and_may_be_said_twice(each: Store) -> None:
    """All of it, and no other one."""
    gone, stays = (each.write(whole(50)).ingest_id for _ in range(2))
    before = each.samples(stays)
    each.discard(gone)
    each.discard(gone)
    with pytest.raises(NotFoundError):
        each.samples(gone)
    assert each.samples(stays).equals(before)
    each.discard(stays)
    assert held(each) == 0


def test_sweep_takes_old_sets_of_nobody(each: Store) -> None:
    """Neither young ones nor those that are known."""
    known, young, orphan = (each.write(reading([sample(0)])).ingest_id for _ in range(3))
    for ingest_id in (known, orphan):
        grow_old(each, ingest_id)
    assert each.sweep({known}) == [orphan]
    assert each.sweep({known}) == []
    assert (each.samples(known).num_rows, each.samples(young).num_rows) == (1, 1)


def test_several_write_at_once(each: Store) -> None:
    """Each set is whole, and only its own."""
    ids: dict[int, str] = {}

    def add(seed: int) -> None:
        ids[seed] = each.write(reading(random_table(5000, seed=seed))).ingest_id

    threads = [threading.Thread(target=add, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, ingest_id in ids.items():
        assert each.samples(ingest_id).equals(random_table(5000, seed=seed))


# --- samples that expire ---


def test_what_outlives_the_samples_is_as_it_was(each: Store) -> None:
    """All but the samples and what only they could say; the blocks have the length that was chosen."""
    ingest_id = each.write(whole()).ingest_id
    lasting = READS.keys() - {"samples", "columns", "where", "other timeline"}
    before = {name: READS[name](each, ingest_id) for name in lasting}
    assert each.sample_bytes(ingest_id) > 0
    for _ in range(2):  # a second time changes nothing
        each.condense(ingest_id, 2.0)
    for _ in range(2):
        each.expire(ingest_id)
    assert each.sample_bytes(ingest_id) == 0
    for name, table in before.items():
        now = READS[name](each, ingest_id)
        if "blocks" in name and "block_start" in table.schema.names:  # what started at an unknown time is in no block
            table = table.filter(pa.compute.is_valid(table["block_start"]))
        assert rounded(now).equals(rounded(table)), name
    for name in ("samples", "where", "other timeline"):
        with pytest.raises(NotFoundError, match="have expired"):
            READS[name](each, ingest_id)
    each.discard(ingest_id)
    assert held(each) == 0


def test_condensed_samples_are_still_there(each: Store) -> None:
    """Until they expire they are what counts, for blocks of any length."""
    ingest_id = each.write(whole(200)).ingest_id
    before = each.blocks(ingest_id, 5.0)
    each.condense(ingest_id, 2.0)
    assert each.samples(ingest_id).num_rows == 203
    assert each.blocks(ingest_id, 5.0).distributions.equals(before.distributions)


# --- of PostgreSQL alone ---


def test_rows_come_in_their_order_wherever_they_lie(postgres: Engine, tmp_path: Path) -> None:
    """PostgreSQL fills the gaps that others left; here rows are moved behind the last one."""
    store, samples = PostgresStore(postgres, tmp_path), random_table(3000)
    ingest_id = store.write(reading(samples)).ingest_id
    with write(postgres) as connection:
        connection.execute(text("UPDATE bulk_samples SET weight = weight WHERE position BETWEEN 500 AND 900"))
    with read(postgres) as connection:
        found = list(connection.scalars(text("SELECT position FROM bulk_samples")))
    assert found != sorted(found)
    assert store.samples(ingest_id).equals(samples)


def test_many_rows_go_over_several_connections(
    postgres: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And come back in their order, by one query for each; what breaks on one of them leaves nothing on the others."""
    monkeypatch.setattr(transfer, "PART", 1000)
    store, samples = PostgresStore(postgres, tmp_path), random_table(4567)
    ingest_id = store.write(reading(samples)).ingest_id
    assert store.samples(ingest_id).equals(samples)
    assert store.samples(ingest_id, columns=["duration_ms"]).equals(samples.select(["duration_ms"]))
    store.discard(ingest_id)
    with write(postgres) as connection:
        connection.execute(text("ALTER TABLE bulk_samples ADD CHECK (position < 4000)"))
    with pytest.raises(StoreError, match="violates check constraint"):
        store.write(reading(samples))
    assert held(store) == 0


def test_a_set_that_is_being_written_is_not_swept(postgres: Engine, tmp_path: Path) -> None:
    """However long that takes: whoever writes it holds its row. Once they are gone it is."""
    store = PostgresStore(postgres, tmp_path)
    ingest_id = store.write(reading([sample(0)])).ingest_id
    grow_old(store, ingest_id)
    with adbc.session(postgres) as writer:
        found(writer, ingest_id, hold=True)
        assert store.sweep(set()) == []
    assert store.sweep(set()) == [ingest_id]


def test_a_set_that_is_being_recorded_is_not_swept(postgres: Engine, tmp_path: Path) -> None:
    """However old it is; and one that was swept cannot be recorded any more."""
    store, run_id = PostgresStore(postgres, tmp_path), new_run(postgres)
    staged = store.write(reading([sample(0)]))
    grow_old(store, staged.ingest_id)
    with write(postgres) as connection:
        index.record(connection, run_id, staged)
        assert store.sweep(set()) == []
    assert store.sweep(set()) == []
    assert store.samples(staged.ingest_id).num_rows == 1

    late = store.write(reading([sample(0)]))
    grow_old(store, late.ingest_id)
    assert store.sweep(set()) == [late.ingest_id]
    with pytest.raises(StoreError, match="were swept"), write(postgres) as connection:
        index.record(connection, new_run(postgres), late)


def test_the_time_to_record_a_set_begins_when_all_of_it_is_there(postgres: Engine, tmp_path: Path) -> None:
    """However long it takes to send."""
    with folders.scratch(tmp_path) as folder, Sending(postgres, folders.new_ingest_id(), folder) as sent:
        stage("", folder, whole(10), on_samples=sent.begin)
        while staged_at(postgres) is None:  # once it has begun
            time.sleep(0.01)
        with read(postgres) as connection:
            before = connection.scalar(text("SELECT clock_timestamp()"))
        sent.finish()
    found = staged_at(postgres)
    assert found is not None
    assert found > before


def staged_at(postgres: Engine) -> datetime | None:
    """Look at the only set."""
    with read(postgres) as connection:
        return connection.scalar(select(bulk_sets.c.staged_at))


def test_a_removal_that_was_cut_short_is_finished(postgres: Engine, tmp_path: Path) -> None:
    """Nobody reads what is left of the set, and the sweep takes it once it is old."""
    store = PostgresStore(postgres, tmp_path)
    ingest_id = store.write(whole(100)).ingest_id
    with write(postgres) as connection:
        connection.execute(update(bulk_sets).values(removed_at=START))
        connection.execute(text("DELETE FROM bulk_samples WHERE position < 50"))
    with pytest.raises(NotFoundError):
        store.timeline(ingest_id)
    assert store.sweep(set()) == []
    grow_old(store, ingest_id)
    assert store.sweep(set()) == [ingest_id]
    assert held(store) == 0


def test_a_database_that_refuses_is_a_store_error(postgres: Engine, tmp_path: Path) -> None:
    """Here one whose tables were damaged; nothing is left of the set, in the database or in files."""
    store = PostgresStore(postgres, tmp_path / "scratch")
    with write(postgres) as connection:
        connection.execute(text("ALTER TABLE bulk_timeline DROP COLUMN max_ms"))
    with pytest.raises(StoreError, match=r"PostgreSQL at .* cannot take or give bulk rows: .*max_ms"):
        store.write(whole(10))
    with write(postgres) as connection:
        connection.execute(text("ALTER TABLE bulk_timeline ADD COLUMN max_ms float8"))
    assert held(store) == 0
    assert list((tmp_path / "scratch").iterdir()) == []
