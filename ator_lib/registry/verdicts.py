"""What runs were judged to be, kept so that nobody has to compare them again to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, exists, insert, select, text

from ator_lib.model import Run, RunStatus, RunVerdict
from ator_lib.registry.history import conditions
from ator_lib.registry.records import run_of
from ator_lib.registry.statements import ENDED, GET_FOR_UPDATE, RUN, runs
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import baselines, summaries, verdicts

_OTHERS = [status.value for status in RunStatus if status.value not in ENDED]

RUN_COLUMNS = ("run_id", "test", "stream", "environment", "location", "start_time", "end_time")
"""What is told of the run beside its verdict."""

_kept = verdicts.c
_VERDICT = [column for column in _kept if column is not _kept.method_version]
_JUDGED = exists().where(_kept.run_id == runs.run_id, _kept.method_version == bindparam("method_version"))
_HAS_REQUESTS = exists().where(
    summaries.c.run_id == runs.run_id, summaries.c.scope == "total", summaries.c.requests > 0
)
_ONE = select(*_VERDICT).where(
    _kept.run_id == bindparam("this_run"), _kept.method_version == bindparam("method_version")
)
_PINNED = select(baselines.c.run_id).where(baselines.c.name == bindparam("this_name"))
_FORGET = delete(verdicts).where(_kept.run_id == bindparam("this_run"))


class Verdicts:
    """Runs' verdicts by one version of the comparison's method: those of another one count as missing."""

    def __init__(self, engine: Engine, method_version: str) -> None:
        self._engine = engine
        self._version = method_version

    def missing(self, *, since_s: float, limit: int) -> list[Run]:
        """Return runs with requests that succeeded or failed and have no verdict, the latest start first.

        Only of those that started in the last ``since_s`` seconds, and at most ``limit``.
        """
        # the time is a value, and statuses are ruled out: so both databases read the index of starts and stop there
        wanted = (runs.start_time >= datetime.now(UTC) - timedelta(seconds=since_s), runs.status.not_in(_OTHERS))
        query = select(*RUN).where(*wanted, _HAS_REQUESTS, ~_JUDGED)
        query = query.order_by(runs.start_time.desc(), runs.run_id.desc()).limit(limit)
        with read(self._engine) as connection:
            return [run_of(row) for row in connection.execute(query, {"method_version": self._version})]

    def get(self, run_id: int) -> RunVerdict | None:
        """Return the verdict of a run; ``None`` if it has none."""
        with read(self._engine) as connection:
            row = connection.execute(_ONE, {"this_run": run_id, "method_version": self._version}).one_or_none()
        return None if row is None else _verdict_of(row)

    def list(
        self, where: Mapping[str, Any], *, verdicts_wanted: Sequence[str] | None = None, limit: int
    ) -> list[dict[str, Any]]:
        """Return ``RUN_COLUMNS`` and the fields of ``RunVerdict`` of judged runs, the latest start first.

        ``where`` is a filter of the history; verdicts by other versions of the method are told, too.
        """
        columns = [*(runs[name] for name in RUN_COLUMNS), *_VERDICT[1:]]
        query = select(*columns).where(_kept.run_id == runs.run_id, *conditions(where))
        if verdicts_wanted is not None:
            query = query.where(_kept.verdict.in_(verdicts_wanted))
        query = query.order_by(runs.start_time.desc().nulls_last(), runs.run_id.desc()).limit(limit)
        with read(self._engine) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def pinned(self, test: str | None) -> int | None:
        """Return the run that is pinned under the name of a test; ``None`` if there is none."""
        with read(self._engine) as connection:
            return _pinned(connection, test)

    def keep(self, verdict: RunVerdict, *, pinned: int | None) -> bool:
        """Keep the verdict of a run in place of an earlier one; says whether it was kept.

        It is not if the run was deleted meanwhile, or its test has another baseline than ``pinned`` by now.
        """
        this_run = {"this_run": verdict.run_id}
        with write(self._engine) as connection:
            row = connection.execute(GET_FOR_UPDATE, this_run).one_or_none()
            _hold_baselines(connection)
            if row is None or _pinned(connection, row.test) != pinned:
                return False
            connection.execute(_FORGET, this_run)
            values = {**vars(verdict), "baseline_run_ids": list(verdict.baseline_run_ids)}
            connection.execute(insert(verdicts), {**values, "method_version": self._version})
        return True


def forget_later(connection: Connection, test: str, baseline: Run) -> None:
    """Forget the verdicts of a test's runs since the baseline: they have another one now, or this one no longer."""
    later = select(runs.run_id).where(runs.test == test, runs.run_id != baseline.run_id)
    if baseline.start_time is not None:
        later = later.where(runs.start_time >= baseline.start_time)
    connection.execute(delete(verdicts).where(_kept.run_id.in_(later)))


def _hold_baselines(connection: Connection) -> None:
    """Let nobody pin before this is committed: it would not be forgotten. SQLite holds its write lock already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE baselines IN SHARE MODE"))


def _pinned(connection: Connection, test: str | None) -> int | None:
    return None if test is None else connection.scalar(_PINNED, {"this_name": test})


def _verdict_of(row: Row[Any]) -> RunVerdict:
    return RunVerdict(**{**row._mapping, "baseline_run_ids": tuple(row.baseline_run_ids)})
