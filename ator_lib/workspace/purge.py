"""Samples of old runs expire; what was computed of them stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Row, Select, exists, func, select, update

from ator_lib.analysis.blocks import block_seconds
from ator_lib.errors import NotFoundError, StoreError, StoreUnavailableError
from ator_lib.model import RunStatus
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import baselines, ingests, summaries, test_executions
from ator_lib.sql.types import Clock
from ator_lib.workspace.parts import Parts

TOLD = 10
"""Runs whose results cannot be purged that are named in a message."""

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

    A run whose results are damaged keeps what it has, and holds no other one up.

    Their summaries, timeline, errors, distributions, metrics and cases stay. Each step may be cut short: the next
    purge finishes what this one left. Results that cannot be found here (another machine's files) are left alone.

    Raises
    ------
    StoreError
        The results of some runs cannot be read or written: the message names them. All others were purged.
    StoreUnavailableError
        The database cannot be reached, or went away; what was purged by then is purged.
    """
    expired, left = [], []
    for old in _old_runs(parts, older_than_s, keep_baselines=keep_baselines):
        try:
            run = _expire(parts, old, keep_baselines=keep_baselines, dry_run=dry_run)
        except StoreUnavailableError:
            raise
        except (StoreError, NotFoundError) as error:
            left.append(f"run {old.run_id} ({error})")
        else:
            expired += [run] if run else []
    if left:
        raise StoreError(_told(left, [run.run_id for run in expired], dry_run=dry_run))
    return expired


def expired_frame(expired: Sequence[Expired]) -> pd.DataFrame:
    """Give a row per run; the columns are there without a row, too."""
    columns = {field.name: [getattr(run, field.name) for run in expired] for field in fields(Expired)}
    frame = pd.DataFrame(columns)
    return frame.astype({"ended_at": "datetime64[us, UTC]", "run_id": "int64", "samples": "int64", "bytes": "int64"})


def _expire(parts: Parts, old: Row[Any], *, keep_baselines: bool, dry_run: bool) -> Expired | None:
    """Remove the samples of a run; ``None`` if there are none here, or it was pinned or deleted meanwhile."""
    size = parts.store.sample_bytes(old.ingest_id)
    if not size:
        return None
    if not dry_run:
        if old.samples_purged_at is None:
            parts.store.condense(old.ingest_id, block_seconds(old.duration_s or 0.0))
            if not _mark(parts, old.ingest_id, keep_baselines=keep_baselines):
                return None
        parts.store.expire(old.ingest_id)
    return Expired(
        run_id=old.run_id,
        test=old.test,
        stream=old.stream,
        ended_at=old.ended_at,
        samples=old.samples,
        bytes=size,
    )


def _told(left: Sequence[str], purged: Sequence[int], *, dry_run: bool) -> str:
    """Say which runs are left and why; after many of them how many more there are."""
    told = "; ".join(left[:TOLD]) + (f"; and {len(left) - TOLD} more" if len(left) > TOLD else "")
    went = "would go" if dry_run else "went"
    others = f"those of {len(purged)} other run{'s' * (len(purged) != 1)} {went}"
    return f"samples that cannot be purged: {told}; {others}. Restore these results, or delete these runs"


def _old_runs(parts: Parts, older_than_s: float, *, keep_baselines: bool) -> Sequence[Row[Any]]:
    statement = _statement(older_than_s)
    if keep_baselines:
        statement = statement.where(~_IS_PINNED)
    with read(parts.engine) as connection:
        return connection.execute(statement).all()


def _statement(older_than_s: float) -> Select[tuple[object, ...]]:
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
