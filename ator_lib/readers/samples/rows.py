"""Batches of a strange table as samples: each column converted, and each row looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.readers import tables
from ator_lib.readers.samples import values
from ator_lib.readers.samples.mapping import Column
from ator_lib.readers.text_documents import ALL_REQUESTS

_LONGEST_SHOWN = 60
_KINDS = {pa.timestamp("us", "UTC"): "time", pa.float64(): "number", pa.bool_(): "true or false"}
_TIMES = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]  # all that Python has
_FIRST, _LAST = pa.array(_TIMES, pa.timestamp("us", "UTC"))

Columns = Mapping[str, pa.Array]
Fault = tuple[str, pa.Array, str, pa.Array | None]
"""A column, which rows of it are bad, why, and the values that show it."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A batch of samples.

    Attributes
    ----------
    good
        The rows that keep the rules.
    bad
        Position in the batch → what is wrong, of the others.
    any_naive
        There are times without a zone.
    """

    good: pa.RecordBatch
    bad: Mapping[int, str]
    any_naive: bool


def to_samples(batch: pa.RecordBatch, columns: Sequence[Column], zone: tzinfo | None) -> Rows:
    """Convert the columns, tell success from the status code where nothing else tells, and sort out bad rows."""
    given = {column.field.name: values.plain(batch.column(column.source)) for column in columns}
    converted: dict[str, pa.Array] = {"name": pa.repeat(ALL_REQUESTS, batch.num_rows)}
    any_naive = False
    for column in columns:
        name = column.field.name
        if name == "started_at":
            converted[name], any_naive = values.moments(given[name], column.unit, zone)
        else:
            converted[name] = _converted(given[name], column)
    unread = [fault for column in columns for fault in _unread(column, given, converted)]
    words = _status_words(given, converted)
    samples = tables.samples_batch(batch.num_rows, **{**converted, **_outcome(converted, words, batch.num_rows)})
    return _sorted_out(samples, [*unread, *_broken_rules(samples)], any_naive)


def _converted(column: pa.Array, wanted: Column) -> pa.Array:
    type_ = wanted.field.type
    if pa.types.is_string(type_):
        return values.texts(column)
    if pa.types.is_boolean(type_):
        return values.truths(column)
    return values.integers(column, type_) if pa.types.is_integer(type_) else values.durations(column, wanted.unit)


def _status_words(given: Columns, converted: Columns) -> pa.Array | None:
    """Give what stands in place of a status code, such as the name of an exception."""
    column = given.get("status_code")
    if column is None or column.null_count == converted["status_code"].null_count:
        return None
    return pc.if_else(values.numbers(column).is_null(), column.cast(pa.string()), None)


def _outcome(converted: Columns, words: pa.Array | None, rows: int) -> Columns:
    """Tell success: as it is said, else by the status code, else by an error, as are words in place of the code."""
    code = converted.get("status_code", pa.nulls(rows, pa.int16()))
    answered_well = pc.and_(pc.greater_equal(code, 100), pc.less(code, 400))
    said = converted.get("success", pa.nulls(rows, pa.bool_()))
    error = converted.get("error", pa.nulls(rows, pa.string()))
    error = error if words is None else pc.coalesce(error, words)
    return {"success": pc.coalesce(said, answered_well, pc.if_else(error.is_valid(), False, None)), "error": error}


# --- bad rows ---


def _unread(column: Column, given: Columns, converted: Columns) -> Iterator[Fault]:
    """Find values that are there and mean nothing."""
    name, type_ = column.field.name, column.field.type
    theirs, ours = given[name], converted[name]
    if theirs.null_count == ours.null_count:
        return
    unread = pc.and_(theirs.is_valid(), ours.is_null())
    if name == "status_code":
        unread = pc.and_(unread, values.numbers(theirs).is_valid())
    kind = "whole number that fits" if pa.types.is_integer(type_) else _KINDS[type_]
    hint = "" if name != "started_at" or column.unit else f"; of numbers name the unit: {column.source}:ms"
    yield name, unread, f"is no {kind}{hint}", theirs


def _broken_rules(samples: pa.RecordBatch) -> Iterator[Fault]:
    for field in schema.SAMPLES:
        column = samples.column(field.name)
        for broken, reason in _rules(field, column, samples):
            yield field.name, broken, reason, None


def _rules(field: pa.Field, column: pa.Array, samples: pa.RecordBatch) -> Iterator[tuple[pa.Array, str]]:
    if field.name == "success":
        yield column.is_null(), "is missing, and there is no status_code to tell it from"
    elif not field.nullable:
        yield column.is_null(), "is missing"
    if pa.types.is_floating(field.type):
        yield pc.invert(pc.is_finite(column)), "is no finite number"
    if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
        least = 1 if field.name == "weight" else 0
        yield pc.less(column, least), f"is below {least}"
    if pa.types.is_timestamp(field.type):
        left_us = pc.subtract(_LAST, column).cast(pa.int64()).cast(pa.float64(), safe=False)
        duration_ms = samples.column("duration_ms")  # infinity is the duration's fault
        is_late = pc.and_(pc.is_finite(duration_ms), pc.greater(pc.multiply(duration_ms, 1000.0), left_us))
        yield pc.or_(pc.less(column, _FIRST), is_late), "is before the year 1, or the request ended after the year 9999"


def _sorted_out(samples: pa.RecordBatch, faults: Sequence[Fault], any_naive: bool) -> Rows:
    bad: dict[int, str] = {}
    for name, broken, reason, shown in faults:
        for index in pc.indices_nonzero(pc.fill_null(broken, False)).to_pylist():
            value = "" if shown is None else f" {str(shown[index])[:_LONGEST_SHOWN]!r}"
            bad.setdefault(index, f"{name}{value} {reason}")
    if bad:
        is_good = np.ones(samples.num_rows, np.bool_)
        is_good[list(bad)] = False
        samples = samples.filter(pa.array(is_good))
    return Rows(good=samples, bad=bad, any_naive=any_naive)
