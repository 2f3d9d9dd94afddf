"""Staging: what a reader gives becomes the Parquet files of one set, with its summaries and timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.blocks import block_seconds
from ator_lib.errors import ResultsError
from ator_lib.figures.intervals import readable_s
from ator_lib.model import IngestReport
from ator_lib.readers.base import Reading, RejectedRow, end_of
from ator_lib.readers.duck import Query, text
from ator_lib.results import aggregates, duck, files, histograms
from ator_lib.results.base import StagedResults
from ator_lib.results.extent import Extent, Grid, grid_over, measure_end, measure_extent, seconds_between
from ator_lib.results.faults import is_full
from ator_lib.results.nul import replace_nul, without_nul

STORED_INTERVAL_S = 1.0
"""The interval of the timeline that is kept; every other one is computed from the samples."""

CONDENSED_FROM = 1_000_000
"""Samples from which their distributions per block are counted at ingest: later it would keep comparisons waiting."""

_COMPUTED = ("summaries", "timeline")
"""What is computed wherever there are samples, also in place of a tool's own."""

_LEAST_TICKS = 10
"""Ticks of the clock of a load window, less than which say nothing of its length."""


def stage(
    ingest_id: str, folder: Path, reading: Reading, *, on_samples: Callable[[], object] = lambda: None
) -> StagedResults:
    """Write the Parquet files of a set into the folder and compute what is computed of it.

    Samples pass through in a stream; their exact percentiles take some 10 bytes of memory a request. Every store
    keeps exactly these rows, so that its numbers are the same. ``on_samples`` is told when the file of the samples is
    whole, while what is computed of it is still to come.

    Raises
    ------
    ResultsError
        The reader failed.
    OSError, pyarrow.ArrowException, DuckError
        The folder cannot be written.
    """
    _write_samples(folder, reading)
    files.write(folder, "metrics", without_nul(_metrics(folder, reading)).to_batches())
    if reading.distributions is not None:
        files.write(folder, "distributions", without_nul(reading.distributions).to_batches())
    written = {table: files.path_of(folder, table) for table in ("samples", "metrics")}
    with duck.open_files(written, spill=folder) as connection:
        replace_nul(connection, folder, "samples")
        on_samples()
        samples = files.row_count(folder, "samples")
        extent = measure_extent(connection)
        ended_at = _ended_at(extent.first, measure_end(connection), reading)
        if reading.samples is not None:
            duration_s = seconds_between(extent.first, ended_at)
            summaries = aggregates.summaries(connection, duration_s, reading.precision)
            timeline = aggregates.timeline(connection, extent, STORED_INTERVAL_S)
            _write_overview(connection, extent, duration_s or 0.0, folder)
            if samples >= CONDENSED_FROM:
                _condense(connection, grid_over(extent, block_seconds(duration_s or 0.0), from_first=True), folder)
        else:
            summaries = _given(reading.summaries, schema.SUMMARIES)
            timeline = iter(_given(reading.timeline, schema.TIMELINE).to_batches())
        files.write(folder, "timeline", timeline)
        errors = aggregates.errors(connection) if reading.errors is None else without_nul(reading.errors)
        files.write(folder, "errors", errors.to_batches())
    found = _by_columns(reading.findings.rejected)
    rejected = without_nul(found)
    if len(rejected):
        files.write(folder, "rejected", rejected.to_batches())
    return StagedResults(
        ingest_id=ingest_id,
        samples=samples,
        summaries=summaries,
        errors=errors,
        cases=_given(reading.cases, schema.CASES),
        rejected=rejected,
        report=_report(reading, extent.first, ended_at, samples),
    )


def _write_overview(connection: duck.Connection, extent: Extent, duration_s: float, folder: Path) -> None:
    """Write what figures of the whole run are drawn from: of ten million samples it would take a while each time."""
    interval_s = readable_s(duration_s)
    if interval_s > STORED_INTERVAL_S:
        files.write(folder, "overview", aggregates.timeline(connection, extent, interval_s))


def _condense(connection: duck.Connection, grid: Grid, folder: Path) -> None:
    for table, rows in histograms.condensed(connection, grid).items():
        files.write(folder, table, rows.to_batches())


def _ended_at(first: datetime | None, ended_at: datetime | None, reading: Reading) -> datetime | None:
    """Give the end of the load window that is known: starts of coarse times do not tell that of a short one."""
    duration_s = seconds_between(first, ended_at)
    if first is None or duration_s is None:
        return ended_at
    if reading.duration_s is not None:
        return end_of(first, reading.duration_s)
    return None if duration_s < _LEAST_TICKS * reading.clock_s else ended_at


def _write_samples(folder: Path, reading: Reading) -> None:
    """Write what the reader has of samples, and let it explain what it could not read."""
    unread = 0
    if isinstance(reading.samples, Query):
        try:
            unread = files.write_query(folder, "samples", reading.samples, required="duration_ms")
        except duck.DuckError as error:
            if is_full(error):
                raise
            raise ResultsError(f"the samples cannot be read: {duck.first_line(error)}") from error
    else:
        files.write(folder, "samples", () if reading.samples is None else _read(reading.samples))
    if unread and reading.explain is not None:
        reading.explain(unread)


def _metrics(folder: Path, reading: Reading) -> pa.Table:
    """Give what was measured beside the requests, also what stands in their rows."""
    query = reading.samples
    if not isinstance(query, Query) or not query.has_users:
        return reading.metrics
    file = f"read_parquet({text(files.path_of(folder, 'samples'))}, hive_partitioning = false)"
    query.connection.execute(f"CREATE TEMP VIEW samples AS FROM {file}")
    return pa.concat_tables([reading.metrics, aggregates.users(query.connection)])


def _read(samples: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Give the reader's batches; what it stumbles over is no fault of the disk that they are written to."""
    try:
        yield from samples
    except ResultsError:
        raise
    except Exception as error:
        raise ResultsError(f"the samples cannot be read: {error}") from error


def _by_columns(rejected: Sequence[RejectedRow]) -> pa.Table:
    return pa.table({name: [getattr(row, name) for row in rejected] for name in schema.REJECTED.names}, schema.REJECTED)


def _given(table: pa.Table | None, columns: pa.Schema) -> pa.Table:
    return columns.empty_table() if table is None else without_nul(table.cast(columns))


def _report(reading: Reading, first: datetime | None, ended_at: datetime | None, samples: int) -> IngestReport:
    found = reading.findings
    held = {
        "samples": samples,
        "summaries": reading.summaries,
        "timeline": reading.timeline,
        "distributions": reading.distributions,
        "cases": reading.cases,
        "metrics": reading.metrics,
    }
    taken = {name: rows if isinstance(rows, int) else len(rows) for name, rows in held.items() if rows is not None}
    taken = {name: rows for name, rows in taken.items() if rows and not (samples and name in _COMPUTED)}
    kept = next(iter(taken.values()), 0)
    rejected = len(found.rejected)
    return IngestReport(
        tool=reading.tool,
        tool_version=reading.tool_version,
        precision=reading.precision,
        rows_read=kept + rejected if found.rows_read is None else found.rows_read,
        rows_kept=kept,
        rows_rejected=rejected,
        truncated=found.truncated,
        started_at=first or reading.started_at,
        ended_at=reading.ended_at if first is None else ended_at,
        computed=_COMPUTED if samples else (),
        taken=tuple(taken),
        notes=tuple(found.notes),
    )
