"""What every encoding of vegeta's results comes down to, and the samples that it makes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.readers import tables
from ator_lib.readers.text_documents import ALL_REQUESTS

RESULTS = pa.schema(
    [
        ("place", pa.int64()),  # the line, or in a stream of gobs the byte, where it stands
        ("timestamp_us", pa.int64()),
        ("latency_ns", pa.int64()),
        ("code", pa.int64()),
        ("bytes_out", pa.int64()),
        ("bytes_in", pa.int64()),
        ("error", pa.string()),
        ("attack", pa.string()),
        ("method", pa.string()),
        ("url", pa.string()),
    ]
)
"""A row per request. What cannot be read is null; an empty text is what vegeta does not say."""

_LAST_STATUS = 999
_TIMES_US = (-62_135_596_800 * 10**6, 253_402_300_799 * 10**6)  # the years 1 to 9999


def is_whole(results: pa.RecordBatch) -> pa.BooleanArray:
    """Say of each row whether it holds what every result has: a time, a code, a duration and bytes."""
    time = results.column("timestamp_us")
    known = pc.and_(pc.greater_equal(time, _TIMES_US[0]), pc.less_equal(time, _TIMES_US[1]))
    for number in ("latency_ns", "code", "bytes_out", "bytes_in"):
        known = pc.and_(known, pc.greater_equal(results.column(number), 0))
    return pc.fill_null(known, False)


def samples(results: pa.RecordBatch) -> pa.RecordBatch:
    """Make samples of whole rows; a code of 0 is a request without a response, one of 200 to 399 vegeta's success."""
    code = results.column("code")
    has_status = pc.and_(pc.greater(code, 0), pc.less_equal(code, _LAST_STATUS))
    return tables.samples_batch(
        results.num_rows,
        started_at=results.column("timestamp_us"),
        duration_ms=pc.divide(results.column("latency_ns").cast(pa.float64(), safe=False), 1e6),
        name=_names(results.column("url"), results.column("attack")),
        method=_given(results.column("method")),
        status_code=pc.if_else(has_status, code, pa.scalar(None, pa.int64())),
        success=pc.and_(pc.greater_equal(code, 200), pc.less(code, 400)),
        error=_given(results.column("error")),
        bytes_sent=results.column("bytes_out"),
        bytes_received=results.column("bytes_in"),
        scenario=_given(results.column("attack")),
    )


def _given(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _names(url: pa.Array, attack: pa.Array) -> pa.Array:
    """Name requests by the path of their URL, those of old versions by their attack."""
    urls = url.dictionary_encode()
    paths = pc.replace_substring_regex(urls.dictionary, pattern=r"(?s)[?#].*", replacement="")
    paths = pc.replace_substring_regex(paths, pattern=r"^[^/]*://[^/]*", replacement="")
    paths = pc.if_else(pc.equal(paths, ""), "/", paths)
    paths = pc.if_else(pc.equal(urls.dictionary, ""), pa.scalar(None, pa.string()), paths)
    return pc.coalesce(pc.take(paths, urls.indices), _given(attack), pa.scalar(ALL_REQUESTS))
