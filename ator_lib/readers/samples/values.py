"""Values of any type and unit as those of ``schema.SAMPLES``; what cannot become one is null, and never raises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.schema import SAMPLES

UNITS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "ns": lambda values: pc.divide(values, 1e6),  # not multiplied by what no float is: 29 µs are 0.029 ms
    "us": lambda values: pc.divide(values, 1e3),
    "ms": lambda values: values,
    "s": lambda values: pc.multiply(values, 1e3),
}
"""Durations in a unit, in milliseconds."""

EPOCH_UNITS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
"""Microseconds of a unit of time since 1970."""

_TRUE = pa.array(["true", "t", "1", "1.0", "yes", "y", "ok", "pass", "passed", "success"])
_FALSE = pa.array(["false", "f", "0", "0.0", "no", "n", "ko", "fail", "failed", "failure", "error"])
_MOMENT = SAMPLES.field("started_at").type
_LAST_US = 253_402_300_800e6
_HAS_ZONE = r"(Z|:\d\d(\.\d+)?[+-]\d\d:?(\d\d)?)$"


def can_become(given: pa.DataType, wanted: pa.DataType, unit: str | None) -> bool:
    """Say whether values of a type mean something as another; a number is a time only with its unit."""
    kinds = pa.types
    given = given.value_type if kinds.is_dictionary(given) else given
    if kinds.is_null(given) or _is_text(given):
        return True
    is_number = any(is_kind(given) for is_kind in (kinds.is_integer, kinds.is_floating, kinds.is_decimal))
    if kinds.is_timestamp(wanted):
        return is_number if unit is not None else bool(kinds.is_timestamp(given))
    if kinds.is_boolean(wanted) or kinds.is_string(wanted):
        return is_number or bool(kinds.is_boolean(given))
    return is_number or bool(kinds.is_duration(given) and kinds.is_floating(wanted))


def plain(column: pa.Array) -> pa.Array:
    """Give a column without what is a matter of its encoding: dictionaries, the kinds of text."""
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return column.cast(pa.string()) if _is_text(column.type) else column


def texts(column: pa.Array) -> pa.Array:
    """Give texts, without NUL characters."""
    column = column if column.type == pa.string() else column.cast(pa.string())
    return pc.replace_substring(column, "\0", "\ufffd") if pc.any(pc.match_substring(column, "\0")).as_py() else column


def truths(column: pa.Array) -> pa.Array:
    """Give true and false for the words, numbers and booleans that mean them."""
    if pa.types.is_boolean(column.type):
        return column
    words = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
    known = pc.or_(pc.is_in(words, _TRUE), pc.is_in(words, _FALSE))
    return pc.if_else(known, pc.is_in(words, _TRUE), None)


def integers(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """Give whole numbers; 200.0 is one: pandas writes it beside gaps."""
    return _cast(column if pa.types.is_integer(column.type) else numbers(column), type_)


def numbers(column: pa.Array) -> pa.Array:
    """Give numbers as they stand there."""
    if pa.types.is_duration(column.type):
        return UNITS[column.type.unit](column.cast(pa.int64()).cast(pa.float64()))
    return _cast(pc.utf8_trim_whitespace(column) if _is_text(column.type) else column, pa.float64())


def durations(column: pa.Array, unit: str | None) -> pa.Array:
    """Give milliseconds of durations in a unit."""
    return UNITS[unit or "ms"](numbers(column))


def moments(column: pa.Array, unit: str | None, zone: tzinfo | None) -> tuple[pa.Array, bool]:
    """Give moments of times: since 1970 in a unit, or ISO 8601; and whether there were some without a zone.

    Those are in the zone given, or in UTC.
    """
    if unit is not None:
        micros = pc.round(pc.multiply(numbers(column), EPOCH_UNITS[unit]))
        return _cast(_cast(pc.if_else(pc.less(pc.abs(micros), _LAST_US), micros, None), pa.int64()), _MOMENT), False
    if pa.types.is_timestamp(column.type):
        return (_cast(column, _MOMENT), False) if column.type.tz else _in_zone(column, zone)
    words = pc.utf8_trim_whitespace(column.cast(pa.string()))
    has_zone = pc.match_substring_regex(words, _HAS_ZONE)
    aware = _cast(pc.if_else(has_zone, words, None), pa.timestamp("ns", "UTC"))
    naive, any_naive = _in_zone(_cast(pc.if_else(has_zone, None, words), pa.timestamp("ns")), zone)
    return pc.coalesce(_cast(aware, _MOMENT), naive), any_naive


def _in_zone(column: pa.Array, zone: tzinfo | None) -> tuple[pa.Array, bool]:
    name = str(zone or UTC).removeprefix("UTC") or "UTC"  # a fixed offset calls itself UTC+02:00
    # when clocks go back an hour comes twice, and when they go forward one is left out
    aware = pc.assume_timezone(_cast(column, pa.timestamp("us")), name, ambiguous="earliest", nonexistent="latest")
    return aware.cast(_MOMENT), column.null_count < len(column)


def _cast(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """Cast what can be cast; the rest, which is seldom anything, is found by halves and becomes null."""
    try:
        return pc.cast(column, options=pc.CastOptions(type_, allow_time_truncate=True))
    except pa.ArrowInvalid:
        if len(column) == 1:
            return pa.nulls(1, type_)
        half = len(column) // 2
        return pa.concat_arrays([_cast(column[:half], type_), _cast(column[half:], type_)])


def _is_text(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    return any(is_kind(type_) for is_kind in kinds)
