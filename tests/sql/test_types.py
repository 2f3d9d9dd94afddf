from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Engine, bindparam, insert, select, text

from ator_lib.errors import StoreError, UsageError
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import ingests, locations, test_executions
from ator_lib.sql.types import Clock

SUMMER = datetime(2026, 7, 1, 12, 30, 1, 234567, tzinfo=timezone(timedelta(hours=2)))


def test_times_come_back_aware_and_in_utc(engine: Engine, start_run: int) -> None:
    """A time of any zone is the same instant in UTC, to the microsecond, when it is read."""
    with write(engine) as connection:
        connection.execute(test_executions.update().values(end_time=SUMMER))
    with read(engine) as connection:
        found = connection.scalar(select(test_executions.c.end_time))
    assert found == SUMMER
    assert found.tzinfo is UTC or found.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(engine: Engine, start_run: int) -> None:
    """A time without a zone is the caller's error and not taken for UTC."""
    with pytest.raises(UsageError, match="no time zone"), write(engine) as connection:
        connection.execute(test_executions.update().values(end_time=SUMMER.replace(tzinfo=None)))


@pytest.mark.parametrize("digits", ["0.1", "0.100", "0.000000000000000001", "123456789.987654321"])
def test_decimals_keep_every_digit(engine: Engine, digits: str) -> None:
    """A decimal is never a binary number on its way."""
    with write(engine) as connection:
        connection.execute(insert(locations).values(name="lab", capacity=Decimal(digits)))
    with read(engine) as connection:
        found = connection.scalar(select(locations.c.capacity))
    assert isinstance(found, Decimal)
    assert str(format(found, "f")) == digits


def test_the_clock_is_now_and_adds_seconds(engine: Engine) -> None:
    """The database's clock runs beside the host's, and adds parts of seconds."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    with read(engine) as connection:
        now = connection.scalar(select(Clock()))
        later, base = connection.execute(select(Clock(bindparam("s", 90.25)), Clock())).one()
    assert before <= now <= datetime.now(UTC) + timedelta(milliseconds=1)
    assert timedelta(seconds=90.2) < later - base < timedelta(seconds=90.3)


def test_times_of_the_clock_and_of_python_compare(engine: Engine) -> None:
    """A time that the database makes and one that Python gives are ordered as times, on SQLite as texts."""
    second = timedelta(seconds=1)
    earlier, later = (
        bindparam(None, datetime.now(UTC) + difference, type_=Clock.type) for difference in (-second, second)
    )
    with read(engine) as connection:
        assert connection.execute(select(earlier < Clock(), Clock() < later, later < Clock())).one() == (1, 1, 0)


def test_json_none_is_null(engine: Engine, start_run: int) -> None:
    """A document that is not there is SQL's NULL and not JSON's."""
    with write(engine) as connection:
        connection.execute(test_executions.update().values(attributes=None, progress={"users": 3}))
        assert connection.scalar(text("SELECT count(*) FROM test_executions WHERE attributes IS NULL")) == 1
        assert connection.scalar(select(test_executions.c.progress)) == {"users": 3}


def test_an_ingest_needs_its_run(engine: Engine) -> None:
    """Foreign keys hold on both databases, and breaking one is a clear error."""
    with pytest.raises(StoreError), write(engine) as connection:
        connection.execute(
            insert(ingests).values(
                ingest_id="x", run_id=999, created_at=SUMMER, samples=0, truncated=False, schema_version=1
            )
        )
