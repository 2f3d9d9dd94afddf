"""What a Flux query of InfluxDB answers: annotated CSV, as measurements or, where it has that form, as a timeline.

Rows with ``_value`` are measurements named ``_measurement._field``, their tags the source. A pivoted table, a column
per field, is a timeline if it has ``requests`` and ``failures`` and calls its columns as TIMELINE does; else every
numeric column is a measurement.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.tables import table

_ANNOTATIONS = ("#datatype", "#group", "#default")
_NUMBERS = ("double", "long", "unsignedLong")
_NO_TAGS = ("", "result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement")
_COUNTS = ("requests", "failures")
_WIDEST_CELL = 2**20
_BATCH = 50_000
_MOST = 2**53
_SHORTEST_S, _LONGEST_S = 1e-6, 1e9


class InfluxReader:
    """Reads answers of Flux queries, one or several of the same run."""

    about: ClassVar[Format] = Format(
        name="influx",
        files="annotated CSV of a Flux query (influx query --raw)",
        gives="metrics; a timeline if its columns are called so",
        precision="as queried",
        limits="no requests, so no summaries and no verdicts",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it begins with an annotation, or with a header of Flux's columns."""
        first = source.first_line
        return first.startswith(_ANNOTATIONS) or {"_time", "_measurement"} <= set(first.split(","))

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read all rows.

        Raises
        ------
        ResultsError
            InfluxDB answered with an error, or a file is no annotated CSV.
        """
        findings = Findings()
        metrics, intervals = _Table(columns=schema.METRICS), _Table(columns=schema.TIMELINE)
        for source in sources:
            for row in _rows(source, findings):
                (intervals if row.is_interval else metrics).add(row.found)
        timeline = intervals.whole()
        return Reading(
            tool="influxdb",
            precision=self.about.precision,
            metrics=metrics.whole(),
            timeline=_measured(timeline) if len(timeline) else None,
            findings=findings,
        )


@dataclass(kw_only=True)
class _Table:
    """Rows on their way into columns, which take a fraction of their memory."""

    columns: pa.Schema
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _parts: list[pa.Table] = field(default_factory=list)

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows += rows
        if len(self._rows) >= _BATCH:
            self._settle()

    def whole(self) -> pa.Table:
        self._settle()
        return pa.concat_tables(self._parts)

    def _settle(self) -> None:
        self._parts.append(table(self.columns, self._rows))
        self._rows = []


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row by its columns; a cell without text is not there."""

    time: datetime
    cells: Mapping[str, str]
    types: Mapping[str, str]

    @property
    def is_interval(self) -> bool:
        return all(name in self.cells for name in _COUNTS)

    @cached_property
    def found(self) -> list[dict[str, Any]]:
        """What it tells, as rows of TIMELINE or of METRICS; ValueError says what is wrong with it."""
        return [self._interval()] if self.is_interval else self._measurements()

    def _measurements(self) -> list[dict[str, Any]]:
        is_pivoted = "_value" not in self.cells
        measured = dict.fromkeys(self._numeric()) if is_pivoted else {"_value": self.cells.get("_field", "")}
        return [
            {
                "timestamp": self.time,
                "metric": self._metric(column if label is None else label),
                "value": _number(self.cells[column]),
                "source": self._tags() or None,
            }
            for column, label in measured.items()
        ]

    def _interval(self) -> dict[str, Any]:
        known = schema.TIMELINE.names
        values = {name: _number(text) for name, text in self.cells.items() if name in known and name in self._numeric()}
        counts = {name: _count(name, values[name]) for name in (*_COUNTS, "users") if name in values}
        if not _SHORTEST_S <= values.get("interval_s", _SHORTEST_S) <= _LONGEST_S:
            raise ValueError(f"interval_s {self.cells['interval_s']!r} is no length of an interval")
        texts = {name: self.cells[name] for name in ("name", "method") if name in self.cells}
        return {**values, **counts, **texts, "interval_start": self.time}

    def _numeric(self) -> list[str]:
        return [
            name
            for name, text in self.cells.items()
            if name not in _NO_TAGS and self.types.get(name, "double" if _is_number(text) else "") in _NUMBERS
        ]

    def _metric(self, label: str) -> str:
        parts = [self.cells.get("_measurement", ""), "" if label == "value" else label]
        return ".".join(filter(None, parts)) or "value"

    def _tags(self) -> str:
        numeric = [] if "_value" in self.cells else self._numeric()
        tags = (f"{name}={text}" for name, text in self.cells.items() if name not in _NO_TAGS and name not in numeric)
        return ",".join(sorted(tags))


@dataclass(kw_only=True)
class _Layout:
    """What the last annotations and header said of the columns."""

    columns: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)

    def row(self, cells: list[str]) -> _Row:
        """Name the cells; ValueError says what is wrong with them."""
        if len(cells) > len(self.columns):
            raise ValueError(f"{len(cells)} cells under {len(self.columns)} columns")
        filled = {
            name: text or default
            for name, text, default in zip(self.columns, cells, self._padded(self.defaults), strict=False)
            if text or default
        }
        if "_time" not in filled:
            raise ValueError("no _time")
        row = _Row(time=_time(filled["_time"]), cells=filled, types=dict(zip(self.columns, self.types, strict=False)))
        _ = row.found  # what cannot be read is told here, with its line
        return row

    def _padded(self, annotation: list[str]) -> list[str]:
        return ["", *annotation[1:], *[""] * len(self.columns)]


def _rows(source: Source, findings: Findings) -> Iterator[_Row]:
    layout, header_is_next = _Layout(), True
    for line, cells in _cells(source):
        if not any(cells):
            header_is_next = True
        elif cells[0].startswith("#"):
            _annotate(layout, cells, is_first=not header_is_next)
            header_is_next = True
        elif header_is_next:
            layout.columns, header_is_next = cells, False
        elif layout.columns[:3] == ["", "error", "reference"]:
            raise ResultsError(f"{source.name} is an error of InfluxDB: {','.join(cells[1:2])[:300]}.")
        else:
            try:
                yield layout.row(cells)
            except ValueError as error:
                findings.reject(source, line, str(error), ",".join(cells))


def _annotate(layout: _Layout, cells: list[str], *, is_first: bool) -> None:
    if is_first:
        layout.types, layout.defaults = [], []
    if cells[0] == "#datatype":
        layout.types = cells
    elif cells[0] == "#default":
        layout.defaults = cells


def _cells(source: Source) -> Iterator[tuple[int, list[str]]]:
    if csv.field_size_limit() < _WIDEST_CELL:  # of the whole process: other threads read, too, so it stays
        csv.field_size_limit(_WIDEST_CELL)
    with source.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(line.replace("\0", "\N{REPLACEMENT CHARACTER}") for line in file)
        try:
            for cells in reader:
                yield reader.line_num, cells
        except csv.Error as error:
            raise ResultsError(f"{source.name} is no CSV at line {reader.line_num}: {error}.") from error


def _measured(timeline: pa.Table) -> pa.Table:
    """Fill in the length of the intervals, the smallest step between two, and the throughput that follows."""
    starts = np.unique(timeline["interval_start"].cast(pa.int64()).to_numpy())
    step = float(np.diff(starts).min()) / 1e6 if len(starts) > 1 else 1.0
    lengths = pc.fill_null(timeline["interval_s"], step)
    rates = pc.coalesce(timeline["throughput_rps"], pc.divide(timeline["requests"].cast(pa.float64()), lengths))
    for column, values in (("interval_s", lengths), ("throughput_rps", rates)):
        place = timeline.schema.get_field_index(column)
        timeline = timeline.set_column(place, timeline.schema.field(place), values)
    return timeline


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)  # of nanoseconds the first six digits count
    if moment.tzinfo is None:
        raise ValueError(f"_time {text!r} has no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"_time {text!r} is beyond the calendar in UTC") from error


def _count(name: str, value: float) -> int:
    if not 0 <= value <= _MOST:
        raise ValueError(f"{name} {value:g} is no number of {name}")
    return round(value)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no finite number")
    return value


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return False
    return True
