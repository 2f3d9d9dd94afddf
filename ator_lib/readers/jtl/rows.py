"""The rows of a JTL as samples, in SQL: what DuckDB reads of a file, and what its columns mean."""

from __future__ import annotations

from datetime import timedelta, tzinfo

from ator_lib.readers.base import Source
from ator_lib.readers.duck import text
from ator_lib.readers.jtl.layout import FIRST_MS, Clock, Layout, is_regular
from ator_lib.readers.text_documents import ALL_REQUESTS

TRANSACTIONS = "transactions"
"""A sequence that counts the rows of transaction controllers while they are left out."""

MOST_FAULTS = 300_000
"""Faults of rows that are kept of a file; a row may have several."""

MOST = 10**12
"""The largest number that is one of results, also as milliseconds."""

TRANSACTION = "Number of samples in transaction"
"""How the responseMessage of a transaction controller begins: it adds up requests that have rows of their own."""

_CODE, _MESSAGE = "Non HTTP response code: ", "Non HTTP response message: "
_UNNAMED = "unnamed"


def select(source: Source, layout: Layout, clock: Clock | None, zone: tzinfo | None, worker: str | None) -> str:
    """Return a SELECT of all columns of SAMPLES and ``users``; rows that cannot be read go to ``reject_errors``."""
    each = (
        f" / {_count(layout)}" if layout.has("SampleCount") else ""
    )  # JMeter adds up what its rows of many are made of
    success = "part.success" if each else _success(layout)
    columns = {
        "started_at": _started_at(clock, zone),
        "duration_ms": f"({_duration(layout, clock)}){each}",
        "name": _name(layout),
        "method": _text(layout, "method"),
        "status_code": _status(layout),
        "success": success,
        "error": f"CASE WHEN NOT {success} THEN {_error(layout)} END",
        "connect_ms": f"({_number(layout, 'Connect')})::DOUBLE{each}",
        "ttfb_ms": f"({_latency(layout)})::DOUBLE{each}",
        "bytes_sent": f"({_number(layout, 'sentBytes')}){each.replace('/', '//')}",
        "bytes_received": f"({_number(layout, 'bytes')}){each.replace('/', '//')}",
        "user": _text(layout, "threadName"),
        "worker": _text(layout, "Hostname") if layout.has("Hostname") or worker is None else text(worker),
        "group": "NULL::VARCHAR",
        "scenario": "NULL::VARCHAR",
        "weight": "part.weight" if each else "1::BIGINT",
        "users": _number(layout, "allThreads"),
    }
    rows = f"FROM {_csv(source, layout, clock)}{_requests_only(layout)}"
    if each:
        rows = f"FROM (SELECT *, unnest({_parts(layout)}) AS part {rows})"
    listed = ", ".join(f'{value} AS "{column}"' for column, value in columns.items())
    return f"SELECT {listed} {rows}"


def _csv(source: Source, layout: Layout, clock: Clock | None) -> str:
    """Return the file as a table of typed columns: what does not fit a type makes the row a rejected one."""
    parts = {column: "BIGINT" if layout.is_whole(column) else "DOUBLE" for column in ("Latency", "Connect")}
    types = {
        "timeStamp": clock.type if clock else "VARCHAR",
        "elapsed": "UINTEGER" if layout.is_whole("elapsed") else "DOUBLE",  # a negative time is rejected by its type
        "success": "BOOLEAN",
        **dict.fromkeys(("bytes", "sentBytes", "allThreads", "SampleCount", "ErrorCount"), "BIGINT"),
        **parts,
    }
    listed = ", ".join(f"{text(name)}: {text(types.get(name, 'VARCHAR'))}" for name in layout.columns)
    needed = ", ".join(text(name) for name in ("timeStamp", "elapsed") if layout.has(name))
    options = {
        "auto_detect": "false",
        "hive_partitioning": "false",
        "columns": f"{{{listed}}}",
        "delim": text(layout.delimiter),
        "compression": text("none"),
        "quote": text('"'),
        "escape": text('"'),
        "header": "false",
        "skip": str(layout.skipped),
        "encoding": text("latin-1" if layout.is_latin else "utf-8"),
        "nullstr": "['', 'null']",
        "force_not_null": f"[{needed}]",
        "strict_mode": str(is_regular(source)).lower(),  # strict, DuckDB stops at a line that ends in another way
        "store_rejects": "true",
        "rejects_limit": str(MOST_FAULTS + 1),
    }
    if clock and clock.format:
        options["timestampformat"] = text(clock.format)
    return f"read_csv({text(str(source.path))}, {', '.join(f'{name}={value}' for name, value in options.items())})"


def _requests_only(layout: Layout) -> str:
    """Return the condition that leaves transaction controllers out, and counts them as it goes."""
    if not layout.has("responseMessage"):
        return ""
    is_transaction = f"starts_with(coalesce(\"responseMessage\", ''), {text(TRANSACTION)})"
    return f" WHERE CASE WHEN {is_transaction} THEN nextval({text(TRANSACTIONS)}) IS NULL ELSE true END"


def _parts(layout: Layout) -> str:
    """Return what a row of several requests is cut into: those that failed and those that did not."""
    count, failed = _count(layout), _number(layout, "ErrorCount")
    whole = f"{{'success': {_success(layout)}, 'weight': {count}}}"
    cut = f"{{'success': false, 'weight': {failed}}}, {{'success': true, 'weight': {count} - ({failed})}}"
    return f"CASE WHEN ({failed}) > 0 AND ({failed}) < {count} THEN [{cut}] ELSE [{whole}] END"


def _count(layout: Layout) -> str:
    return f"greatest(coalesce({_number(layout, 'SampleCount')}, 1), 1)"


def _started_at(clock: Clock | None, zone: tzinfo | None) -> str:
    if clock is None:
        return "NULL::TIMESTAMPTZ"
    if clock.is_count:
        return 'make_timestamptz("timeStamp"::BIGINT * 1000)'
    if not clock.is_naive:
        return '"timeStamp"'
    offset = timedelta() if zone is None else zone.utcoffset(None)
    if offset is None:  # it has a name, and may have summer time
        return f'"timeStamp" AT TIME ZONE {text(str(zone))}'
    return f"(\"timeStamp\" - to_microseconds({offset // timedelta(microseconds=1)})) AT TIME ZONE 'UTC'"


def _duration(layout: Layout, clock: Clock | None) -> str:
    """Return the duration; null where that or the time is of the right type for DuckDB, and makes no sense."""
    duration = "elapsed::DOUBLE" if layout.is_whole("elapsed") else _number(layout, "elapsed")
    return f'CASE WHEN "timeStamp" >= {FIRST_MS} THEN {duration} END' if clock and clock.is_count else duration


def _name(layout: Layout) -> str:
    """Return the label; one that is a URL without what may be secret in it."""
    if not layout.has("label"):
        return text(ALL_REQUESTS)
    part = r"regexp_extract(label, '(-\d+)*$')" if layout.numbers_parts else "''"
    url = f"concat(split_part(label, '?', 1), CASE WHEN contains(label, '?') THEN {part} END)"
    safe = f"CASE WHEN contains(label, '@') THEN regexp_replace({url}, '://[^/]*@', '://') ELSE {url} END"
    is_telling = "contains(label, '://') AND (contains(label, '?') OR contains(label, '@'))"
    return f"coalesce(CASE WHEN {is_telling} THEN {safe} ELSE label END, {text(_UNNAMED)})"


def _latency(layout: Layout) -> str:
    latency = _number(layout, "Latency")
    if not layout.has("Latency"):
        return latency
    return f'CASE WHEN "Latency" > 0 OR ({_status(layout)}) IS NOT NULL THEN {latency} END'  # 0: nobody answered


def _status(layout: Layout) -> str:
    if not layout.has("responseCode"):
        return "NULL::SMALLINT"
    number = 'try_cast("responseCode" AS SMALLINT)'
    return f"CASE WHEN {number} BETWEEN 100 AND 999 THEN {number} END"


def _success(layout: Layout) -> str:
    told = ['"success"'] if layout.has("success") else []
    if layout.has("responseCode"):
        told.append(f"({_status(layout)}) BETWEEN 100 AND 399")
    return f"coalesce({', '.join([*told, 'false'])})" if told else "true"


def _error(layout: Layout) -> str:
    """Return why a request failed, in the tool's words: of the assertion, of the exception, or of the server."""
    message, code = _text(layout, "responseMessage"), _text(layout, "responseCode")
    said = f"nullif(replace({message}, {text(_MESSAGE)}, ''), 'OK')"
    raised = f"CASE WHEN ({_status(layout)}) IS NULL THEN replace({code}, {text(_CODE)}, '') END"
    return f"coalesce({_text(layout, 'failureMessage')}, nullif(concat_ws(': ', {raised}, {said}), ''))"


def _text(layout: Layout, column: str) -> str:
    return f'"{column}"' if layout.has(column) else "NULL::VARCHAR"


def _number(layout: Layout, column: str) -> str:
    return f'CASE WHEN "{column}" BETWEEN 0 AND {MOST} THEN "{column}" END' if layout.has(column) else "NULL::BIGINT"
