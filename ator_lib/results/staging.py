"""Staging: what a reader gives becomes the Parquet files of one set, with its summaries and timeline."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ator_lib import schema
from ator_lib.model import IngestReport
from ator_lib.readers.base import Reading
from ator_lib.results import aggregates, duck, files
from ator_lib.results.base import StagedResults

STORED_INTERVAL_S = 1.0
"""The interval of the timeline that is kept; every other one is computed from the samples."""

_COMPUTED = ("summaries", "timeline")
"""What is computed wherever there are samples, also in place of a tool's own."""


def stage(ingest_id: str, folder: Path, reading: Reading) -> StagedResults:
    """Write the Parquet files of a set into the folder and compute what is computed of it.

    Samples pass through in a stream; their exact percentiles take some 10 bytes of memory a request. Every store
    keeps exactly these rows, so that its numbers are the same.

    Raises
    ------
    ResultsError
        The reader failed.
    OSError, pyarrow.ArrowException, DuckError
        The folder cannot be written.
    """
    samples = _write_samples(folder, reading)
    files.write(folder, "metrics", reading.metrics.to_batches())
    if reading.distributions is not None:
        files.write(folder, "distributions", reading.distributions.to_batches())
    opened = {table: files.open_table(folder, table) for table in ("samples", "metrics")}
    with duck.open_sandbox(opened, spill=folder) as connection:
        extent = aggregates.measure_extent(connection)
        if reading.samples is not None:
            summaries = aggregates.summaries(connection, extent, reading.precision)
            timeline = aggregates.timeline(connection, extent, STORED_INTERVAL_S)
        else:
            summaries = _given(reading.summaries, schema.SUMMARIES)
            timeline = iter(_given(reading.timeline, schema.TIMELINE).to_batches())
        files.write(folder, "timeline", timeline)
    rejected = pa.Table.from_pylist([vars(row) for row in reading.findings.rejected], schema=schema.REJECTED)
    if len(rejected):
        files.write(folder, "rejected", rejected.to_batches())
    return StagedResults(
        ingest_id=ingest_id,
        samples=samples,
        summaries=summaries,
        cases=_given(reading.cases, schema.CASES),
        rejected=rejected,
        report=_report(reading, extent, samples),
    )


def _write_samples(folder: Path, reading: Reading) -> int:
    """Write what the reader has of samples, and let it explain what it could not read; gives how many there are."""
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
    files.replace_nul(folder, "samples")
    return files.row_count(folder, "samples")


def _read(samples: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Give the reader's batches; what it stumbles over is no fault of the disk that they are written to."""
    try:
        yield from samples
    except ResultsError:
        raise
    except Exception as error:
        raise ResultsError(f"the samples cannot be read: {error}") from error


def _given(table: pa.Table | None, columns: pa.Schema) -> pa.Table:
    return columns.empty_table() if table is None else table.cast(columns)


def _report(reading: Reading, extent: aggregates.Extent, samples: int) -> IngestReport:
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
        started_at=extent.first or reading.started_at,
        ended_at=extent.ended_at or reading.ended_at,
        computed=_COMPUTED if samples else (),
        taken=tuple(taken),
        notes=tuple(found.notes),
    )
