"""Samples of old runs expire; what was computed of them stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import pandas as pd
from sqlalchemy import Select, exists, func, select, update

from ator_lib.analysis.blocks import block_seconds
from ator_lib.model import RunStatus
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import baselines, ingests, summaries, test_executions
from ator_lib.sql.types import Clock
from ator_lib.workspace.parts import Parts

_FINAL = [status.value for status in RunStatus if status.is_final]
_IS_PINNED = exists().where(baselines.c.run_id == ingests.c.run_id)


@dataclass(frozen=True, kw_only=True)
class Expired:
    """A run whose samples have gone, or would go; ``bytes`` is about what they take."""

    run_id: int
    test: str | None
    stream: str | None
    ended_at: datetime
    samples: int
    bytes: int


def purge(parts: Parts, older_than_s: float, *, keep_baselines: bool = True, dry_run: bool = False) -> list[Expired]:
    """Remove the samples of runs that ended so long ago; gives those runs, the oldest first.

    Their summaries, timeline, errors, distributions, metrics and cases stay. Each step may be cut short: the next
    purge finishes what this one left. Results that cannot be found here (another machine's files) are left alone.

    Raises
    ------
    StoreError
        The database or a store cannot be used; what was purged by then is purged.
    """
    expired = []
    for run, ingest_id, block_s, is_marked in _candidates(parts, older_than_s, keep_baselines=keep_baselines):
        if not dry_run:
            if not is_marked:
                parts.store.condense(ingest_id, block_s)
                if not _mark(parts, ingest_id, keep_baselines=keep_baselines):
                    continue  # pinned or deleted meanwhile
            parts.store.expire(ingest_id)
        expired.append(run)
    return expired


def expired_frame(expired: Sequence[Expired]) -> pd.DataFrame:
    """Give a row per run; the columns are there without a row, too."""
    columns = {field.name: [getattr(run, field.name) for run in expired] for field in fields(Expired)}
    frame = pd.DataFrame(columns)
    return frame.astype({"ended_at": "datetime64[us, UTC]", "run_id": "int64", "samples": "int64", "bytes": "int64"})


def _candidates(
    parts: Parts, older_than_s: float, *, keep_baselines: bool
) -> Iterator[tuple[Expired, str, float, bool]]:
    statement = _old_runs(older_than_s)
    if keep_baselines:
        statement = statement.where(~_IS_PINNED)
    with read(parts.engine) as connection:
        rows = connection.execute(statement).all()
    for row in rows:
        size = parts.store.sample_bytes(row.ingest_id)
        if size:
            run = Expired(
                run_id=row.run_id,
                test=row.test,
                stream=row.stream,
                ended_at=row.ended_at,
                samples=row.samples,
                bytes=size,
            )
            yield run, row.ingest_id, block_seconds(row.duration_s or 0.0), row.samples_purged_at is not None


def _old_runs(older_than_s: float) -> Select[tuple[object, ...]]:
    runs, kept = test_executions.c, ingests.c
    ended_at = func.coalesce(runs.end_time, kept.created_at, type_=runs.end_time.type)
    duration_s = select(summaries.c.duration_s).where(
        summaries.c.ingest_id == kept.ingest_id, summaries.c.scope == "total"
    )
    return (
        select(
            *(runs.run_id, runs.test, runs.stream, ended_at.label("ended_at")),
            *(kept.ingest_id, kept.samples, kept.samples_purged_at, duration_s.scalar_subquery().label("duration_s")),
        )
        .join(ingests, kept.run_id == runs.run_id)
        .where(runs.status.in_(_FINAL), kept.samples > 0, ended_at < Clock(-older_than_s))
        .order_by(ended_at, runs.run_id)
    )


def _mark(parts: Parts, ingest_id: str, *, keep_baselines: bool) -> bool:
    """Say that the samples have expired, before they go; false if they must stay or another purge was quicker."""
    marked = update(ingests).where(ingests.c.ingest_id == ingest_id, ingests.c.samples_purged_at.is_(None))
    if keep_baselines:
        marked = marked.where(~_IS_PINNED)
    with write(parts.engine) as connection:
        return connection.execute(marked.values(samples_purged_at=Clock())).rowcount == 1
