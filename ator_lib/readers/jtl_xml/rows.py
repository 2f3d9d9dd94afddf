"""Samples with the attributes that JMeter writes, and what they are in canonical form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.readers import tables
from ator_lib.readers.text_documents import ALL_REQUESTS

TRANSACTION = "Number of samples in transaction"
"""How the response message of a Transaction Controller begins; JMeter itself tells them by that."""

NUMBERS = ("t", "ts", "lt", "ct", "by", "sby", "sc", "ec")
TEXTS = ("s", "lb", "rc", "rm", "tn", "hn")
GROUP, METHOD, FAILURE = "+group", "+method", "+failure"  # no attribute has such a name; a user's variable is one
ROWS = pa.schema(
    [(name, pa.int64()) for name in NUMBERS] + [(name, pa.string()) for name in (*TEXTS, GROUP, METHOD, FAILURE)]
)
"""Attributes of a sample, and what stands around it. ``t`` is never null."""

ELAPSED_END_MS = 10**12
TIME_END_MS = 10**14
"""From these on (31 years; the year 5138) an elapsed time and a time stamp are none."""

_UNNAMED = "unnamed"
_STATUS = re.compile(r"[1-9][0-9]{2}")
_NO_HTTP = "^Non HTTP response (code|message): "
_LOGIN = re.compile(r"(?<=://)[^/?#]*@")


def requests(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out the transactions."""
    found = pc.fill_null(pc.starts_with(rows["rm"], TRANSACTION), False)
    return rows.filter(pc.invert(found)) if pc.any(found).as_py() else rows


def samples(rows: pa.RecordBatch, worker: str | None) -> pa.RecordBatch:
    """Turn ``ROWS`` into ``schema.SAMPLES``; ``worker`` made those that name no host."""
    rows, failed, weight = _parts(rows)
    count = _count(rows)
    status = _mapped(rows["rc"], _status, pa.int16())
    answered_well = pc.and_(pc.greater_equal(status, 100), pc.less(status, 400))
    success = pc.coalesce(pc.invert(failed), pc.equal(rows["s"], "true"), answered_well, False)
    has_no_answer = pc.and_(pc.is_null(status), pc.equal(rows["lt"], 0))
    return tables.samples_batch(
        rows.num_rows,
        started_at=pc.multiply(rows["ts"], 1000).cast(pa.timestamp("us", "UTC")),
        duration_ms=_each(rows["t"], count),
        name=_mapped(rows["lb"], _name, pa.string()),
        method=rows[METHOD],
        status_code=status,
        success=success,
        error=pc.if_else(success, None, _error(rows, status)),
        connect_ms=_each(rows["ct"], count),
        ttfb_ms=_each(pc.if_else(has_no_answer, None, rows["lt"]), count),
        bytes_sent=pc.divide(rows["sby"], count),
        bytes_received=pc.divide(rows["by"], count),
        user=rows["tn"],
        worker=pc.coalesce(rows["hn"], pa.scalar(worker, pa.string())),
        group=rows[GROUP],
        weight=weight,
    )


def _parts(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.Array, pa.Array]:
    """Cut rows of several requests in two; give the rows, whether all in one failed (null: as it says), and weights."""
    count = _count(rows)
    bad = pc.fill_null(rows["ec"], 0)
    is_mixed = pc.and_(pc.greater(bad, 0), pc.less(bad, count))
    if not pc.any(is_mixed).as_py():
        return rows, pa.nulls(rows.num_rows, pa.bool_()), count
    times = np.where(is_mixed.to_numpy(zero_copy_only=False), 2, 1)
    taken = pa.array(np.repeat(np.arange(rows.num_rows), times))
    is_second = pa.array(np.diff(taken.to_numpy(), prepend=-1) == 0)
    mixed, count, bad = is_mixed.take(taken), count.take(taken), bad.take(taken)
    failed = pc.if_else(mixed, pc.invert(is_second), pa.scalar(None, pa.bool_()))
    weight = pc.if_else(mixed, pc.if_else(is_second, pc.subtract(count, bad), bad), count)
    return rows.take(taken), failed, weight


def _count(rows: pa.RecordBatch) -> pa.Array:
    return pc.max_element_wise(rows["sc"], 1)  # also where it is null


def _each(total: pa.Array, count: pa.Array) -> pa.Array:
    """Share what JMeter adds up when a row stands for several requests."""
    return pc.divide(total.cast(pa.float64()), count.cast(pa.float64()))


def _mapped(column: pa.Array, change: Callable[[str | None], Any], type_: pa.DataType) -> pa.Array:
    """Change each distinct value once: there are few."""
    encoded = column.dictionary_encode(null_encoding="encode")
    changed = pa.array([change(value) for value in encoded.dictionary.to_pylist()], type_)
    return changed.take(encoded.indices)


def _status(code: str | None) -> int | None:
    return int(code) if code is not None and _STATUS.fullmatch(code) else None


def _name(label: str | None) -> str:
    """Keep the label, but what may be secret in one that is a URL."""
    if label is None:
        return ALL_REQUESTS
    return (_LOGIN.sub("", label.partition("?")[0]) if "://" in label else label) or _UNNAMED


def _error(rows: pa.RecordBatch, status: pa.Array) -> pa.Array:
    """Say why requests failed, in the words of the assertion, the exception or the server."""
    code, message = (pc.replace_substring_regex(pc.coalesce(rows[name], ""), _NO_HTTP, "") for name in ("rc", "rm"))
    raised = pc.if_else(pc.is_valid(status), "", code)
    said = pc.if_else(pc.equal(message, "OK"), "", message)
    between = pc.if_else(pc.or_(pc.equal(raised, ""), pc.equal(said, "")), "", ": ")
    answer = pc.binary_join_element_wise(raised, said, between)
    return pc.coalesce(rows[FAILURE], pc.if_else(pc.equal(answer, ""), None, answer))
