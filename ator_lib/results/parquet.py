"""The bulk store: one immutable set of Parquet files per ingest, queried by DuckDB."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from ator_lib import schema
from ator_lib.errors import NotFoundError, ResultsError, StoreError, UsageError
from ator_lib.model import IngestReport
from ator_lib.readers.base import Reading, named
from ator_lib.results import aggregates, duck, files, folders
from ator_lib.results.base import Blocks, StagedResults

__all__ = ["Blocks", "ParquetStore", "StagedResults"]

_STORED_INTERVAL_S = 1.0

_COMPUTED = ("summaries", "timeline")
"""What is computed wherever there are samples, also in place of a tool's own."""

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class ParquetStore:
    """File sets under ``root``, one folder per ingest id; the first write makes the folder.

    Every method that takes an ingest id raises

    - ``NotFoundError`` when there is no such set,
    - ``StoreVersionError`` when it was written by a newer ATOR,
    - ``StoreError`` when a file of it is missing or cannot be read.

    Parameters
    ----------
    registry
        What tells the registry whose runs are kept here from others that share the folder.
    """

    def __init__(self, root: Path, *, registry: str = "") -> None:
        self.root = root
        self._registry = registry

    # --- writing ---

    def write(self, reading: Reading) -> StagedResults:
        """Write a complete set and compute its summaries.

        Samples pass through in a stream; their exact percentiles take some 10 bytes of memory a request.

        Raises
        ------
        ResultsError
            The reader failed, the disk is full, the folder cannot be written …; nothing is left of the set.
        """
        ingest_id = folders.new_ingest_id()
        try:
            with folders.staging(self.root, ingest_id) as folder:
                return _stage(ingest_id, folder, reading)
        except ResultsError:
            raise
        except Exception as error:  # of the file system, Arrow or DuckDB, or whatever the reader stumbled over
            raise ResultsError(
                f"the results cannot be kept in {named(self.root)}: {_reason(error)}; nothing of them was kept"
            ) from error

    def keep(self, ingest_id: str) -> None:
        """Say that a run points at the set now, after the commit that made it so: it is never swept from then on."""
        folders.keep(self.root, ingest_id)

    def release(self, ingest_id: str) -> None:
        """Say, before the commit that makes it so, that no run will point at the set: then it can be swept.

        Without that commit nothing happens to it: only this registry sweeps it, and only once it knows no run of it.

        Raises
        ------
        StoreError
            The folder cannot be written.
        """
        try:
            folders.release(self.root, ingest_id, self._registry)
        except OSError as error:
            raise StoreError(f"the results of ingest {ingest_id} cannot be removed: {_reason(error)}") from error

    def discard(self, ingest_id: str) -> None:
        """Remove a set; nothing happens when there is none.

        Raises
        ------
        StoreError
            It cannot be removed.
        """
        try:
            folders.remove(self.root, ingest_id)
        except OSError as error:
            raise StoreError(f"the results of ingest {ingest_id} cannot be removed: {_reason(error)}") from error

    def sweep(self, known: Collection[str]) -> list[str]:
        """Remove what dead processes left: sets not kept, not in ``known``, untouched for an hour; gives their ids."""
        return folders.sweep(self.root, known, self._registry)

    # --- reading ---

    def samples(self, ingest_id: str, *, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Return samples in the order of their file.

        Parameters
        ----------
        columns
            Names out of ``schema.SAMPLES``, in the order wanted; default all.
        where
            A DuckDB SQL expression over those columns, for example ``duration_ms > 1000 AND NOT success``; write
            ``"group"`` and ``"user"`` with their quotes, as both are words of SQL. It sees no other file.

        Raises
        ------
        UsageError
            An unknown column, or an expression that DuckDB does not take.
        """
        names = _checked(columns)
        with self._sandbox(ingest_id, "samples") as connection:
            try:
                table = duck.select(connection.view("samples"), names, where)
            except duck.DuckError as error:
                if where is None or duck.is_read_failure(error):
                    raise
                raise UsageError(
                    f"where={where!r} cannot be used: {duck.first_line(error)}. Columns: {_listed(schema.SAMPLES)}"
                ) from error
            return table.cast(pa.schema([schema.SAMPLES.field(name) for name in names]))

    def timeline(self, ingest_id: str, interval_s: float = _STORED_INTERVAL_S) -> pa.Table:
        """Return ``schema.TIMELINE``; intervals start at UTC multiples of their length.

        Percentiles of every interval come from its samples. Samples of unknown start are in no interval.

        Raises
        ------
        UsageError
            The interval is not positive, or there would be too many.
        """
        if interval_s == _STORED_INTERVAL_S:
            return self._stored(ingest_id, "timeline")
        with self._sandbox(ingest_id, "samples", "metrics") as connection:
            extent = aggregates.measure_extent(connection)
            batches = aggregates.timeline(connection, extent, interval_s)
            return pa.Table.from_batches(batches, schema=schema.TIMELINE)

    def metrics(self, ingest_id: str) -> pa.Table:
        """Return ``schema.METRICS``: what was measured beside the requests."""
        return self._stored(ingest_id, "metrics")

    def rejected(self, ingest_id: str) -> pa.Table:
        """Return ``schema.REJECTED``: what could not be taken in."""
        return self._stored(ingest_id, "rejected")

    def distributions(self, ingest_id: str, *, block_s: float | None = None) -> pa.Table:
        """Return ``schema.DISTRIBUTIONS`` for each name and method and for the run (name null).

        Bins are logarithmic, 1 % wide, with the same edges for every run; the first starts at 0. Blocks start at
        the run's first request; ``None`` is one block for all of its time.
        """
        with self._sandbox(ingest_id, "samples") as connection:
            extent = aggregates.measure_extent(connection)
            return aggregates.distributions(connection, extent, block_s)

    def blocks(self, ingest_id: str, block_s: float) -> Blocks:
        """Return the distributions and the timeline of the same blocks, with one pass over the samples for each."""
        with self._sandbox(ingest_id, "samples", "metrics") as connection:
            extent = aggregates.measure_extent(connection)
            timeline = aggregates.timeline(connection, extent, block_s, from_first=True)
            return Blocks(
                distributions=aggregates.distributions(connection, extent, block_s),
                timeline=pa.Table.from_batches(timeline, schema=schema.TIMELINE),
            )

    def errors(self, ingest_id: str) -> pa.Table:
        """Return failed requests by name, method, status_code and error with their number, most frequent first."""
        with self._sandbox(ingest_id, "samples") as connection:
            return aggregates.errors(connection)

    def scan(self, table: str, ingests: Sequence[tuple[int, str]]) -> ds.Dataset:
        """Open a table of many runs, given as (run_id, ingest_id), as one with ``run_id`` first; reads nothing yet."""
        return files.open_runs([(run_id, self.root / ingest_id) for run_id, ingest_id in ingests], table)

    def _stored(self, ingest_id: str, table: str) -> pa.Table:
        with self._opened(ingest_id, table) as opened:
            return opened[table].to_table()

    @contextmanager
    def _sandbox(self, ingest_id: str, *tables: str) -> Iterator[duck.Connection]:
        with self._opened(ingest_id, *tables) as opened, duck.open_sandbox(opened) as connection:
            yield connection

    @contextmanager
    def _opened(self, ingest_id: str, *tables: str) -> Iterator[dict[str, ds.Dataset]]:
        folder = self.root / ingest_id
        if not folders.is_ingest_id(ingest_id) or not folder.is_dir():
            raise NotFoundError(
                f"the results of ingest {ingest_id} are missing under {self.root}: was the folder moved or cleaned?"
            )
        try:
            yield {table: files.open_table(folder, table) for table in tables}
        except (OSError, pa.ArrowException, duck.DuckError) as error:
            raise StoreError(
                f"the results of ingest {ingest_id} cannot be read from {folder}: {_reason(error)}"
            ) from error


def _stage(ingest_id: str, folder: Path, reading: Reading) -> StagedResults:
    samples = _write_samples(folder, reading)
    files.write(folder, "metrics", reading.metrics.to_batches())
    if reading.distributions is not None:
        files.write(folder, "distributions", reading.distributions.to_batches())
    opened = {table: files.open_table(folder, table) for table in ("samples", "metrics")}
    with duck.open_sandbox(opened, spill=folder) as connection:
        extent = aggregates.measure_extent(connection)
        if samples:
            summaries = aggregates.summaries(connection, extent, reading.precision)
            timeline = aggregates.timeline(connection, extent, _STORED_INTERVAL_S)
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
    if reading.samples is None:
        files.write(folder, "samples", ())
        return 0
    if isinstance(reading.samples, pa.RecordBatchReader):
        files.write(folder, "samples", reading.samples)
        return files.row_count(folder, "samples")
    unread = files.write_query(folder, "samples", reading.samples, required="duration_ms")
    if unread and reading.explain is not None:
        reading.explain(unread)
    return files.row_count(folder, "samples")


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


def _checked(columns: Sequence[str] | None) -> list[str]:
    names = schema.SAMPLES.names if columns is None else list(columns)
    unknown = [name for name in names if name not in schema.SAMPLES.names]
    if unknown or not names:
        given = ", ".join(map(repr, unknown)) or "none"
        raise UsageError(f"samples have no such column: {given}. Columns: {_listed(schema.SAMPLES)}")
    return names


def _listed(table: pa.Schema) -> str:
    return ", ".join(table.names)


def _reason(error: Exception) -> str:
    words = str(error)
    # Arrow and DuckDB raise errors of their own, with the system's words and seldom with its number
    says_full = "no space left" in words.lower() or any(f"[errno {code}]" in words.lower() for code in _FULL)
    if says_full or getattr(error, "errno", None) in _FULL:
        return "the disk is full, free some space"
    if isinstance(error, duck.DuckError):
        return duck.first_line(error)
    return words.partition("\n")[0] or type(error).__name__
