"""What is kept of a run only while it is live. The registry and the results see to its end: either may come last."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select, update

from ator_lib.sql.tables import ingests, run_progress, test_executions

_ACTIVE = ("queued", "running")
_LIVE_ONLY = frozenset({"endpoints", "errors"})
"""Parts of the last progress that only live views need; the history would read them with every run."""

_runs = test_executions.c
_THIS_RUN = _runs.run_id == bindparam("this_run")
_ENDED_WITH_RESULTS = (
    select(_runs.run_id, _runs.progress)
    .join(ingests, ingests.c.run_id == _runs.run_id)
    .where(_THIS_RUN, _runs.status.not_in(_ACTIVE))
)
_FORGET = delete(run_progress).where(run_progress.c.run_id == bindparam("this_run"))
_SHORTEN = update(test_executions).where(_THIS_RUN)


def give_way_to_results(connection: Connection, run_id: int) -> None:
    """Forget how a run did while it ran, once it has ended and has results; within the caller's transaction."""
    row = connection.execute(_ENDED_WITH_RESULTS, {"this_run": run_id}).one_or_none()
    if row is None:
        return
    connection.execute(_FORGET, {"this_run": run_id})
    if row.progress and not _LIVE_ONLY.isdisjoint(row.progress):
        kept = {name: value for name, value in row.progress.items() if name not in _LIVE_ONLY}
        connection.execute(_SHORTEN, {"this_run": run_id, "progress": kept})
