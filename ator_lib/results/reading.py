"""Reading sets of bulk rows: the same for every store, from Parquet files that it lends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import NotFoundError, StoreError, UsageError
from ator_lib.results import aggregates, duck, files, histograms
from ator_lib.results.base import Blocks
from ator_lib.results.extent import ALL_TIME, Extent, Window, grid_over, measure_end, measure_extent, seconds_between
from ator_lib.results.faults import reason
from ator_lib.results.lending import Lent, RunSets
from ator_lib.results.staging import STORED_INTERVAL_S

_TIMED = ("started_at", "duration_ms", "name", "method", "success", "weight")
"""The columns that timelines and distributions are made of."""

_SUMMARISED = (*_TIMED, "bytes_received")
"""The columns that summaries are made of."""

_IS_TOTAL = pc.field("name").is_null()


class ReadableSets(ABC):
    """Sets of bulk rows, each under an ingest id: immutable, but that their samples may expire.

    Every method that takes an ingest id raises

    - ``NotFoundError`` when there is no such set, or its samples are wanted and have expired,
    - ``StoreVersionError`` when it was written by a newer ATOR,
    - ``StoreError`` when it cannot be read.
    """

    @abstractmethod
    def lend(
        self, ingest_id: str, *tables: str, columns: Sequence[str] | None = None, window: Window = ALL_TIME
    ) -> AbstractContextManager[Lent]:
        """Give tables of a set for as long as they are read; of the samples at least these columns in this window."""

    @abstractmethod
    def lend_all(
        self, table: str, sets: RunSets, named: Collection[int]
    ) -> AbstractContextManager[list[tuple[int, Path]]]:
        """Give the folders of a table's files in many sets, by run id, without looking at them.

        A store that has to fetch them does so for the runs ``named`` alone; for others the folder is ``UNFETCHED``.
        """

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
        enough = names if where is None else None
        with self._with_samples(ingest_id, columns=enough) as lent, lent.sandboxed("samples") as connection:
            try:
                table = duck.select(connection.view("samples"), names, where)
            except duck.DuckError as error:
                if where is None or duck.is_read_failure(error):
                    raise
                raise UsageError(
                    f"where={where!r} cannot be used: {duck.first_line(error)}. Columns: {_listed(schema.SAMPLES)}"
                ) from error
            return table.cast(pa.schema([schema.SAMPLES.field(name) for name in names]))

    def timeline(
        self,
        ingest_id: str,
        interval_s: float = STORED_INTERVAL_S,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        total_only: bool = False,
    ) -> pa.Table:
        """Return ``schema.TIMELINE``; intervals start at UTC multiples of their length.

        Percentiles of every interval come from its samples, of those in the window of time that ``since`` and
        ``until`` (not included) bound. Samples of unknown start are in no interval. With ``total_only`` there are the
        whole run's rows alone.

        Raises
        ------
        UsageError
            The interval is not positive, or there would be too many.
        """
        window = Window(since, until)
        if window == ALL_TIME:
            kept = self._stored(ingest_id, "timeline" if interval_s == STORED_INTERVAL_S else "overview")
            if interval_s == STORED_INTERVAL_S or interval_s in kept["interval_s"].slice(length=1).to_pylist():
                return kept.filter(_IS_TOTAL) if total_only else kept
        with (
            self._with_samples(ingest_id, "metrics", columns=_TIMED, window=window) as lent,
            lent.opened("samples", "metrics") as connection,
        ):
            extent = measure_extent(connection, window)
            batches = aggregates.timeline(connection, extent, interval_s, total_only=total_only)
            return pa.Table.from_batches(batches, schema=schema.TIMELINE)

    def stored_timeline(
        self,
        ingest_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        total_only: bool = False,
    ) -> pa.Table:
        """Return those of the intervals that were kept which start in a window, ``until`` not included."""
        rows = self._stored(ingest_id, "timeline")
        if total_only:
            rows = rows.filter(_IS_TOTAL)
        if since is not None:
            rows = rows.filter(pc.field("interval_start") >= since)
        return rows if until is None else rows.filter(pc.field("interval_start") < until)

    def overview(self, ingest_id: str) -> pa.Table:
        """Return ``schema.TIMELINE`` of the whole run in the longest intervals that were kept."""
        kept = self._stored(ingest_id, "overview")
        return kept if kept.num_rows else self._stored(ingest_id, "timeline")

    def summaries(
        self,
        ingest_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        precision: str = schema.EXACT,
    ) -> pa.Table:
        """Return ``schema.SUMMARIES`` of the requests that started in a window of time, ``until`` not included.

        Its ``duration_s`` is the part of the load window that lies in it. Where ``since`` or ``until`` is given,
        samples of unknown start are left out. Percentiles are as exact as the samples, which ``precision`` says.
        """
        window = Window(since, until)
        with (
            self._with_samples(ingest_id, columns=_SUMMARISED, window=window) as lent,
            lent.opened("samples") as connection,
        ):
            extent = measure_extent(connection, window)
            return _summaries(connection, extent, until, precision)

    def metrics(self, ingest_id: str) -> pa.Table:
        """Return ``schema.METRICS``: what was measured beside the requests."""
        return self._stored(ingest_id, "metrics")

    def rejected(self, ingest_id: str) -> pa.Table:
        """Return ``schema.REJECTED``: what could not be taken in."""
        return self._stored(ingest_id, "rejected")

    def distributions(self, ingest_id: str, *, block_s: float | None = None) -> pa.Table:
        """Return ``schema.DISTRIBUTIONS`` for each name and method and for the run (name null).

        Bins are logarithmic, 1 % wide, with the same edges for every run; the first starts at 0. Blocks start at
        the run's first request; ``None`` is one block for all of its time. Where there are no samples these are the
        stored ones, whatever the length of their blocks.
        """
        with self.borrowed(ingest_id, "distributions", "blocks") as lent:
            if block_s is None and lent.block_s is not None:
                return _stored_distributions(lent, timed=False)
        with self.borrowed(ingest_id, "samples", "distributions", columns=_TIMED) as lent:
            if not lent.has_samples:
                return _stored_distributions(lent, timed=block_s is not None)
            with lent.opened("samples") as connection:
                extent = measure_extent(connection)
                grid = None if block_s is None else grid_over(extent, block_s, from_first=True)
                return histograms.distributions(connection, grid)

    def blocks(
        self, ingest_id: str, block_s: float, *, since: datetime | None = None, precision: str = schema.EXACT
    ) -> Blocks:
        """Return the distributions and the timeline of the same blocks.

        They are counted from the samples with one pass, unless blocks of that length were counted at ingest. Where
        there are no samples these are the stored ones, whatever the length of their blocks.

        Parameters
        ----------
        since
            Leave out what started before, or at an unknown time. The first block starts then; of stored blocks those
            stay that start no earlier. A tool's own tables cannot be cut.
        precision
            Of the samples: where they are counted, the summaries of what is left are given, too.
        """
        with self.borrowed(ingest_id, "distributions", "blocks", "timeline") as lent:
            if lent.block_s == block_s or lent.samples_expired:
                return _stored_blocks(lent, since)
        columns = _TIMED if since is None else _SUMMARISED
        with self.borrowed(ingest_id, "samples", "distributions", "blocks", "timeline", columns=columns) as lent:
            if lent.samples_expired:  # meanwhile
                return _stored_blocks(lent, since)
            if not lent.has_samples:
                return Blocks(distributions=_stored_distributions(lent, timed=True), timeline=lent.stored("timeline"))
            with lent.opened("samples") as connection:
                extent = measure_extent(connection, Window(since=since))
                distributions, timeline = histograms.blocks(connection, grid_over(extent, block_s, from_first=True))
                summaries = None if since is None else _summaries(connection, extent, None, precision)
                return Blocks(distributions=distributions, timeline=timeline, since=since, summaries=summaries)

    def condensed(self, ingest_id: str, block_s: float) -> Mapping[str, pa.Table] | None:
        """Return the tables that stand for the samples in a comparison; ``None`` where they are stored already."""
        with self.borrowed(ingest_id, "samples", "blocks", columns=_TIMED) as lent:
            if lent.block_s is not None:
                return None
            with lent.opened("samples") as connection:
                grid = grid_over(measure_extent(connection), block_s, from_first=True)
                return histograms.condensed(connection, grid)

    def errors(self, ingest_id: str) -> pa.Table:
        """Return failed requests by name, method, status_code and error with their number, most frequent first."""
        with self.borrowed(ingest_id, "errors") as lent:
            if files.size(lent.folder, "errors"):
                return lent.stored("errors")
            with lent.opened("samples") as connection:  # a file set of before they were stored
                return aggregates.errors(connection)

    def _stored(self, ingest_id: str, table: str) -> pa.Table:
        with self.borrowed(ingest_id, table) as lent:
            return lent.stored(table)

    @contextmanager
    def _with_samples(
        self, ingest_id: str, *tables: str, columns: Sequence[str] | None, window: Window = ALL_TIME
    ) -> Iterator[Lent]:
        with self.borrowed(ingest_id, "samples", *tables, columns=columns, window=window) as lent:
            if lent.samples_expired:
                raise NotFoundError(f"the samples of ingest {ingest_id} have expired")
            yield lent

    @contextmanager
    def borrowed(
        self, ingest_id: str, *tables: str, columns: Sequence[str] | None = None, window: Window = ALL_TIME
    ) -> Iterator[Lent]:
        """Give what ``lend`` does, and tell of what cannot be read while it is lent."""
        place = ""
        try:
            with self.lend(ingest_id, *tables, columns=columns, window=window) as lent:
                place = f" from {lent.folder}"
                yield lent
        except (OSError, pa.ArrowException, duck.DuckError) as error:
            raise StoreError(f"the results of ingest {ingest_id} cannot be read{place}: {reason(error)}") from error


def _stored_distributions(lent: Lent, *, timed: bool) -> pa.Table:
    """Give those per block or of the whole run; a tool's own are of the whole run alone."""
    stored = lent.stored("distributions")
    in_blocks = pc.is_valid(stored["block_start"])
    wanted = stored.filter(in_blocks if timed else pc.invert(in_blocks))
    return wanted if wanted.num_rows else stored


def _stored_blocks(lent: Lent, since: datetime | None) -> Blocks:
    distributions, timeline = _stored_distributions(lent, timed=True), lent.stored("blocks")
    if since is None:
        return Blocks(distributions=distributions, timeline=timeline)
    timeline = timeline.filter(pc.field("interval_start") >= since)
    return Blocks(
        distributions=distributions.filter(pc.field("block_start") >= since),
        timeline=timeline,
        since=pc.min(timeline["interval_start"]).as_py(),
    )


def _summaries(connection: duck.Connection, extent: Extent, until: datetime | None, precision: str) -> pa.Table:
    ended_at = measure_end(connection)
    if ended_at is not None and until is not None:
        ended_at = min(ended_at, until)
    return aggregates.summaries(connection, seconds_between(extent.first, ended_at), precision)


def _checked(columns: Sequence[str] | None) -> list[str]:
    names = schema.SAMPLES.names if columns is None else list(columns)
    unknown = [name for name in names if name not in schema.SAMPLES.names]
    if unknown or not names:
        given = ", ".join(map(repr, unknown)) or "none"
        raise UsageError(f"samples have no such column: {given}. Columns: {_listed(schema.SAMPLES)}")
    return names


def _listed(table: pa.Schema) -> str:
    return ", ".join(table.names)
