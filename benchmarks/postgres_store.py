"""What keeping a run in PostgreSQL costs beside its rows: the store's write against a bare COPY of them.

Both send the same Arrow table of synthetic samples through ADBC to the same server. The store also computes summaries
and timeline, keeps each row under its set and place, and can take it back. Takes about a minute.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, text

from ator_lib import schema
from ator_lib.readers.base import Reading
from ator_lib.results import adbc
from ator_lib.results.postgres import PostgresStore
from ator_lib.sql.bulk import bulk_tables
from ator_lib.sql.engine import open_engine, upgrade, write
from benchmarks._report import report
from tests.support.postgres import running_server

ROWS = 1_000_000
ROUNDS = 3
LABELS = 50
SECONDS = 600


def samples(rows: int) -> pa.Table:
    """Make samples such as a JTL file holds: no two alike, 2 % failed."""
    rng = np.random.default_rng(1)
    success = rng.random(rows) > 0.02
    start_us = 1_762_077_600_000_000 + np.sort(rng.integers(0, SECONDS * 1_000_000, rows))
    columns = {
        "started_at": pa.array(start_us, pa.timestamp("us", tz="UTC")),
        "duration_ms": rng.lognormal(3, 1, rows).round(3),
        "name": np.array([f"/api/v1/resource/{n}" for n in range(LABELS)])[rng.integers(0, LABELS, rows)],
        "method": np.array(["GET", "POST"])[rng.integers(0, 2, rows)],
        "status_code": pa.array(np.where(success, 200, 500), pa.int16()),
        "success": success,
        "error": pa.array(np.where(success, None, "HTTP 500"), pa.string()),
        "connect_ms": rng.lognormal(1, 1, rows).round(3),
        "ttfb_ms": rng.lognormal(2, 1, rows).round(3),
        "bytes_sent": rng.integers(100, 500, rows),
        "bytes_received": rng.integers(100, 50_000, rows),
        "user": pa.array([f"Thread Group 1-{n}" for n in rng.integers(1, 200, rows)]),
        **{name: pa.nulls(rows, pa.string()) for name in ("worker", "group", "scenario")},
        "weight": np.ones(rows, np.int64),
    }
    return pa.table(columns).cast(schema.SAMPLES)


def copy_bare(engine: Engine, table: pa.Table) -> None:
    """Send the rows to a table that has nothing but their columns."""
    with adbc.session(engine) as session:
        session.send("bare", table.to_reader())
        session.commit()


def store_whole(store: PostgresStore, table: pa.Table) -> None:
    """Keep them as a run's results."""
    store.write(Reading(samples=table.to_reader(), tool="synthetic", precision=schema.EXACT))


def seconds(action: Callable[[], None]) -> float:
    """Take the time."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def empty(engine: Engine) -> None:
    """Make both start alike: with empty tables, and no checkpoint of what the other one wrote still to come."""
    with write(engine) as connection:
        connection.execute(text(f"TRUNCATE bulk_sets, {', '.join(table.name for table in bulk_tables.values())}"))
        connection.execute(text("DROP TABLE IF EXISTS bare"))
        connection.execute(text("CREATE TABLE bare AS SELECT * FROM bulk_samples LIMIT 0"))
        connection.execute(text("ALTER TABLE bare DROP set_key, DROP position"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))


def main() -> None:
    """Measure both in turn, and print the ratio of their speeds."""
    table = samples(ROWS)
    with running_server() as url, tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(url)
        upgrade(engine)
        store = PostgresStore(engine, Path(scratch))
        bare, kept = [], []
        for _ in range(ROUNDS):
            empty(engine)
            bare.append(seconds(lambda: copy_bare(engine, table)))
            empty(engine)
            kept.append(seconds(lambda: store_whole(store, table)))
        engine.dispose()
    report(
        f"{ROWS:,} samples kept, per second (peer: bare COPY)", ROWS / median(kept), ROWS / median(bare), "ratio ≥ 0.6"
    )


if __name__ == "__main__":
    main()
