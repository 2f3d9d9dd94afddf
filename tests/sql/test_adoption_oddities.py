"""What real tables of the published kind hold: every row is kept, and every oddity is told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Engine, inspect, text

from ator_lib.model import RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine, read, upgrade, write
from tests.sql.published import Adopt, make, runs, uuid


def test_a_table_as_published_is_only_said_to_be_taken_over(adopt: Adopt) -> None:
    """Where nothing is odd there is one sentence; the second upgrade has none."""
    assert adopt({}, {}) == "the published table test_executions was taken over with 2 rows, none of which is lost"


def test_a_fresh_database_has_nothing_to_tell(database_url: str) -> None:
    """On either database."""
    engine = open_engine(database_url)
    assert upgrade(engine) == ()
    engine.dispose()


def test_statuses(adopt: Adopt, old: Engine) -> None:
    """Each spelling is told with its rows; a word that says nothing of the end, or none, is abandoned and kept."""
    words = ["failed", "failed", " Completed ", "SUCCESS", None, "weird", "queued", "In Progress"]
    report = adopt(*({"status": word} for word in words))
    assert "2 rows had the status 'failed': 'failure' now (runs 1, 2)" in report
    assert "1 row had the status ' Completed ': 'success' now (run 3)" in report
    assert "1 row had the status 'SUCCESS': 'success' now (run 4)" in report
    assert "1 row had no status: 'abandoned' now, as nothing tells how it ended (run 5)" in report
    assert "1 row had the status 'weird': 'abandoned' now, as nothing tells how it ended (run 6)" in report
    assert "1 row had the status 'queued': 'abandoned' now" in report  # nobody waits there any more
    kept = {run_id: run.attributes.get("status_before_upgrade") for run_id, run in runs(old).items()}
    assert kept == {
        1: "failed",
        2: "failed",
        3: " Completed ",
        4: None,
        5: None,
        6: "weird",
        7: "queued",
        8: "In Progress",
    }
    assert runs(old)[8].status == "running"


def test_run_ids(adopt: Adopt, old: Engine) -> None:
    """Of equal ones the earliest stays; none, and those that no run can have, get new ones; the old are kept."""
    ids = [7, 7, None, -3, 8]
    report = adopt(*({"run_id": run_id, "test": str(n)} for n, run_id in enumerate(ids)))
    assert "1 row had the run_id of an earlier row: 7 is 9 now" in report
    assert "1 row had a run_id that is not a number from 1 to 2,000,000,000: '-3' is 11 now" in report
    assert "1 row had no run_id: now 10" in report
    assert {run.test: run_id for run_id, run in runs(old).items()} == {"0": 7, "1": 9, "2": 10, "3": 11, "4": 8}
    assert [runs(old)[n].attributes for n in (9, 10, 11)] == [
        {"run_id_before_upgrade": 7},
        {},
        {"run_id_before_upgrade": -3},
    ]
    assert Registry(old).register(RunRequest()).run_id == 12


@pytest.mark.parametrize(
    "kind", ["VARCHAR", "NUMERIC", "BIGINT", "BIGSERIAL UNIQUE", "INT GENERATED ALWAYS AS IDENTITY"]
)
def test_run_ids_of_other_types(old: Engine, kind: str) -> None:
    """They become whole numbers that the database goes on counting."""
    make(old, columns={"run_id": kind})
    with write(old) as connection:
        for number in (1, 2):
            statement = "INSERT INTO test_executions (id, run_id, status) OVERRIDING SYSTEM VALUE VALUES"
            connection.exec_driver_sql(f"{statement} ('{uuid(number)}', '{number * 10}', 'success')")
    upgrade(old)
    assert sorted(runs(old)) == [10, 20]
    assert Registry(old).register(RunRequest()).run_id == 21


def test_run_ids_beyond_the_column(adopt: Adopt, old: Engine) -> None:
    """A time in milliseconds, as some take for an id, does not fit."""
    report = adopt({"run_id": 1_714_557_600_000}, {"run_id": 3}, columns={"run_id": "BIGINT"})
    assert "'1714557600000' is 4 now" in report
    assert runs(old)[4].attributes == {"run_id_before_upgrade": 1_714_557_600_000}


def test_ids_that_are_text(adopt: Adopt, old: Engine) -> None:
    """UUIDs in any case are the same UUID; others, equal ones and missing ones get new ones, with the old kept."""
    ids = [uuid(0xABC).upper(), uuid(0xABC), "7", None]
    report = adopt(*({"id": id_} for id_ in ids), columns={"id": "TEXT"})
    assert "the primary key is id now; it was missing" in report
    assert "1 row had the id of another row: a new one now" in report
    assert "1 row had a value of id that is not a UUID: a new one now" in report
    assert "(run 3: '7')" in report
    assert "1 row had no id: a new one now (run 4)" in report
    assert runs(old)[1].id == UUID(int=0xABC)
    assert [runs(old)[n].attributes.get("id_before_upgrade") for n in (1, 2, 3, 4)] == [None, uuid(0xABC), "7", None]
    assert inspect(old).get_pk_constraint("test_executions")["constrained_columns"] == ["id"]


def test_factors(adopt: Adopt, old: Engine) -> None:
    """What cannot be added up is none now and kept; one above 1 stays and is told."""
    report = adopt({"factor": "NaN"}, {"factor": "-0.5"}, {"factor": "1.5"}, {"factor": None}, {"factor": "0.25"})
    assert "2 rows had a value of factor that is not a finite number of 0 or more: none now" in report
    assert "(run 1: 'NaN', run 2: '-0.5')" in report
    assert "1 row has a factor above 1, which is kept (run 3)" in report
    found = runs(old)
    assert [found[n].factor for n in range(1, 6)] == [None, None, Decimal("1.5"), None, Decimal("0.25")]
    assert found[2].attributes == {"factor_before_upgrade": -0.5}


def test_factors_of_other_types(adopt: Adopt, old: Engine) -> None:
    """Binary numbers count by their decimal text, and texts by their number."""
    adopt({"factor": "0.1"}, columns={"factor": "DOUBLE PRECISION"})
    assert runs(old)[1].factor == Decimal("0.1")


def test_times(adopt: Adopt, old: Engine) -> None:
    """A time without a zone is read as UTC, and said; a text that is none, or beyond Python's years, is kept beside."""
    report = adopt(
        {"start_time": "2024-05-01 10:00:00", "end_time": "2024-05-01T12:00:00+02:00"},
        {"start_time": "infinity", "end_time": "31.12.2024 noon"},
        {"end_time": "2023-01-01"},
        columns={"start_time": "TIMESTAMP NOT NULL DEFAULT now()", "end_time": "TEXT"},
    )
    assert "start_time had no time zone: read as UTC" in report
    assert "the column start_time has no default any more; it was now()" in report
    assert "start_time that is not a time of the years 1 to 9999: none now" in report
    assert "(run 2: '31.12.2024 noon')" in report
    assert "1 row has an end before the start, which is kept (run 3)" in report
    assert "1 row ended at an unknown time (run 2)" in report
    found = runs(old)
    assert (found[1].start_time, found[1].end_time) == (
        datetime(2024, 5, 1, 10, tzinfo=UTC),
        datetime(2024, 5, 1, 10, tzinfo=UTC),
    )
    assert (found[2].start_time, found[2].end_time) == (None, None)
    assert found[3].end_time == datetime(2023, 1, 1, tzinfo=UTC)


def test_running_rows_are_named_with_what_they_take(adopt: Adopt) -> None:
    """They go on holding their place, for years perhaps, until somebody who knows ends them."""
    live = {"status": "running", "start_time": "2021-03-04 00:00+00", "end_time": None}
    report = adopt(live, {**live, "location": None}, {**live, "factor": None})
    assert "3 rows stayed running, so that a place which is in use is not given away" in report
    assert "run 1 takes 0.4 of 'lab-1' since 2021-03-04" in report
    assert "run 2 takes nothing of any location" in report
    assert "run 3 takes 0 of 'lab-1'" in report
    assert "ator complete RUN_ID failure" in report


def test_locations(adopt: Adopt, old: Engine) -> None:
    """An empty one is none; blanks around one do not make it another place."""
    report = adopt({"location": ""}, {"location": "  "}, {"location": " lab-1 "}, {"location": None}, {})
    assert "2 rows had an empty location: none now (runs 1, 2)" in report
    assert "1 row had blanks around the location: they are gone (run 3)" in report
    with read(old) as connection:
        assert connection.scalars(text("SELECT name FROM locations")).all() == ["lab-1"]


def test_many_rows_are_counted_and_a_few_named(adopt: Adopt) -> None:
    """A report stays readable."""
    report = adopt(*({"status": "FAILED"} for _ in range(13)))
    assert "13 rows had the status 'FAILED': 'failure' now (runs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more)" in report


def test_names_that_no_index_could_hold(adopt: Adopt, old: Engine) -> None:
    """They are cut; the whole name is kept beside."""
    long = "".join(chr(0x4E00 + number % 20_000) for number in range(5_000))  # hard to compress
    report = adopt({"test": long, "stream": "main"}, {"location": "lab-1"})
    assert "1 row had a test of more than 500 characters: cut now" in report
    assert runs(old)[1].test == long[:500]
    assert runs(old)[1].attributes == {"test_before_upgrade": long}
