"""Tables that are laid out otherwise than published: limits, keys, views, and columns of their own."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Engine, inspect

from ator_lib.errors import StoreError
from ator_lib.model import RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import read, upgrade, write
from tests.sql.published import Adopt, make, runs


def test_limits_defaults_and_checks_are_gone(adopt: Adopt, old: Engine) -> None:
    """What the old columns would cut or refuse, ATOR may write."""
    report = adopt(
        {"status": "Success"},
        columns={
            "lac": "VARCHAR(4)",
            "status": "VARCHAR(9) NOT NULL DEFAULT 'running' CHECK (status <> 'failure')",
            "factor": "NUMERIC(3, 2) CHECK (factor <= 1)",
        },
    )
    assert "the constraint test_executions_status_check was dropped, as ATOR has rules of its own: CHECK" in report
    assert "the column status has no default any more" in report
    run = Registry(old).register(RunRequest(lac="longer than four", factor=Decimal("0.125")))
    assert Registry(old).get(run.run_id).factor == Decimal("0.125")


def test_a_status_of_an_enumerated_type(adopt: Adopt, old: Engine) -> None:
    """It becomes text."""
    with write(old) as connection:
        connection.exec_driver_sql("CREATE TYPE outcome AS ENUM ('running', 'passed')")
    adopt({"status": "passed"}, columns={"status": "outcome DEFAULT 'running'"})
    assert runs(old)[1].status == "success"


def test_missing_and_extra_columns(adopt: Adopt, old: Engine) -> None:
    """Missing ones are made; those of the table's own stay, under another name where ATOR needs theirs."""
    report = adopt(
        {"build": "b1", "error": "5"},
        columns={"repo": None, "factor": None, "id": None, "build": "TEXT NOT NULL", "error": "INTEGER NOT NULL"},
    )
    assert "columns were missing and are new: id, factor, repo" in report
    assert "columns of the table's own stay, and may be null: build, error_before_upgrade" in report
    assert "the table's own column 'error' is 'error_before_upgrade' now" in report
    with read(old) as connection:
        rows = connection.exec_driver_sql("SELECT build, error_before_upgrade FROM test_executions").all()
    assert rows == [("b1", 5)]
    assert Registry(old).register(RunRequest(test="new")).run_id == 2


def test_keys_and_indexes_of_other_kinds(adopt: Adopt, old: Engine) -> None:
    """Another primary key gives way; an index with a name of ours is renamed; other rules stay and are named."""
    report = adopt(
        {"test": "a"},
        columns={"id": "UUID", "test": "VARCHAR UNIQUE", "PRIMARY": "KEY (run_id, test)"},
        also=("CREATE INDEX ix_test_executions_stream ON test_executions (stream)",),
    )
    assert "the primary key is id now; it was run_id, test" in report
    assert "the index ix_test_executions_stream is ix_test_executions_stream_before_upgrade now" in report
    assert "the constraint test_executions_test_key stays and holds for ATOR, too: UNIQUE (test)" in report


def test_a_view_that_is_not_in_the_way_stays(adopt: Adopt, old: Engine) -> None:
    """Only columns that need another type cannot have views on them."""
    adopt({"status": "Failed"}, also=("CREATE VIEW outcomes AS SELECT run_id, status FROM test_executions",))
    with read(old) as connection:
        assert connection.exec_driver_sql("SELECT * FROM outcomes").all() == [(1, "failure")]


@pytest.mark.parametrize(
    ("columns", "also", "named"),
    [
        ({"status": "VARCHAR(20)"}, "CREATE VIEW v AS SELECT status FROM test_executions", "the view v"),
        ({"id": "TEXT PRIMARY KEY"}, "CREATE TABLE n (run TEXT REFERENCES test_executions)", "n_run_fkey of n"),
        ({"status": None}, "SELECT 1", "holds no runs, as it has no column status"),
        ({}, "CREATE TABLE locations (name TEXT)", "names that ATOR needs (locations)"),
    ],
)
def test_what_is_in_the_way_is_named_and_nothing_is_changed(
    old: Engine, columns: dict[str, str | None], also: str, named: str
) -> None:
    """The upgrade is all or nothing, and says what to do."""
    make(
        old, {"status": "Failed"} if "status" not in columns or columns["status"] else {}, columns=columns, also=(also,)
    )
    before = inspect(old).get_columns("test_executions")
    with pytest.raises(StoreError) as caught:
        upgrade(old)
    assert named in str(caught.value)
    assert str(caught.value).endswith("nothing was changed")
    assert [column["name"] for column in inspect(old).get_columns("test_executions")] == [c["name"] for c in before]
    assert "alembic_version" not in inspect(old).get_table_names()
