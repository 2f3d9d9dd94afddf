from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select

from ator_lib import schema
from ator_lib.errors import StoreError
from ator_lib.results import index
from ator_lib.results.base import StagedResults
from ator_lib.results.parquet import ParquetStore
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import ingests
from tests.results.synthetic import failed, random_table, reading, sample

AddRun = Callable[..., int]
Ingest = Callable[..., StagedResults]


def test_recorded_summaries_come_back_as_they_were(engine: Engine, add_run: AddRun, ingest: Ingest) -> None:
    """The rows of every run, digit by digit, with its run_id first."""
    first, second = add_run(), add_run()
    staged = {run_id: ingest(run_id, reading(random_table(200, seed=run_id))) for run_id in (first, second)}
    both = index.summaries(engine)
    assert both.schema.equals(index.SUMMARIES)
    assert both["run_id"].unique().to_pylist() == [first, second]
    for run_id in (first, second):
        kept = index.summaries(engine, [run_id]).drop_columns(["run_id"])
        assert kept.equals(staged[run_id].summaries)


def test_a_run_without_results_has_none(engine: Engine, add_run: AddRun) -> None:
    """No row and no ingest id; and no id at all means no run."""
    run_id = add_run()
    assert index.ingest_of(engine, run_id) is None
    assert index.summaries(engine, [run_id]).num_rows == index.summaries(engine, []).num_rows == 0
    assert index.known_ingests(engine) == set()


def test_the_ingests_row_says_what_was_read(engine: Engine, add_run: AddRun, ingest: Ingest) -> None:
    """Samples, load window, tool and version of the tables stand beside the ingest id."""
    run_id = add_run()
    staged = ingest(run_id, reading([sample(0), failed(2)]))
    with read(engine) as connection:
        row = connection.execute(select(ingests)).one()
    assert (row.ingest_id, row.run_id, row.samples) == (staged.ingest_id, run_id, 2)
    assert (row.started_at, row.ended_at) == (staged.report.started_at, staged.report.ended_at)
    assert (row.tool, row.tool_version, row.precision, row.truncated) == ("synthetic", "1", schema.EXACT, False)
    assert row.schema_version == schema.VERSION
    assert row.created_at.tzinfo is not None


def test_results_are_visible_only_with_the_callers_commit(engine: Engine, add_run: AddRun, store: ParquetStore) -> None:
    """A transaction that fails leaves no trace of the results in SQL: the files are orphans then."""
    run_id, staged = add_run(), store.write(reading([sample(0)]))

    def fail_after_recording() -> None:
        with write(engine) as connection:
            index.record(connection, run_id, staged)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_recording()
    assert index.ingest_of(engine, run_id) is None
    assert index.summaries(engine).num_rows == 0


def test_a_run_has_one_set_of_results(engine: Engine, add_run: AddRun, ingest: Ingest) -> None:
    """A second one is refused, as nobody could say which of two summaries is the run's."""
    run_id = add_run()
    first = ingest(run_id, reading([sample(0)]))
    with pytest.raises(StoreError):
        ingest(run_id, reading([sample(1)]))
    assert index.known_ingests(engine) == {first.ingest_id}
    assert index.ingest_of(engine, run_id) == first.ingest_id


def test_results_of_no_run_are_refused(engine: Engine, store: ParquetStore) -> None:
    """An ingest belongs to a run that exists."""
    with pytest.raises(StoreError), write(engine) as connection:
        index.record(connection, 4711, store.write(reading([sample(0)])))
