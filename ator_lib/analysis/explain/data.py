"""What an explanation is given: both sides' runs, their requests counted in cells, and what else ran at the place."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.run_data import RunData

SEGMENTS = 10
"""A run is cut into tenths of its time, so that runs of different length stand beside each other."""


def _required(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=False)


BREAKDOWN = pa.schema(
    [
        _required("name", pa.string()),
        pa.field("method", pa.string()),
        pa.field("status_code", pa.int16()),
        _required("success", pa.bool_()),
        pa.field("segment", pa.int8()),
        _required("requests", pa.int64()),
        _required("duration_ms", pa.float64()),
        pa.field("beyond", pa.int64()),
        _required("connect_ms", pa.float64()),
        _required("first_byte_ms", pa.float64()),
        _required("rest_ms", pa.float64()),
        _required("with_connect", pa.int64()),
        _required("with_ttfb", pa.int64()),
    ]
)
"""The requests of a run in cells: a row per name, method, status code, success and tenth of its time.

``segment`` is 0 to 9, null where nobody knows when a request started. Columns in ms are sums over the cell's requests,
0 for what was not reported: connecting, from there to the first byte, and from there to the end; ``with_connect`` and
``with_ttfb`` requests reported them. ``beyond`` took longer than the limit that was asked for; null without one.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainData:
    """One run as an explanation sees it.

    Attributes
    ----------
    cells
        ``BREAKDOWN`` of its samples; null where there are none, or none any more. Then its summaries and
        distributions speak for the endpoints.
    timeline
        ``schema.TIMELINE``; looked at for the whole run's rows, where there are no cells.
    """

    run: RunData
    cells: pa.Table | None
    timeline: pa.Table = field(default_factory=schema.TIMELINE.empty_table)


@dataclass(frozen=True, kw_only=True)
class LocationMove:
    """Another test at the contender's location: its last run before the change, and its last one after.

    Attributes
    ----------
    run_id, previous_run_id
        The last run that started after the baseline did and by the end of the contender; the last one before.
    before, after
        Their p50 in milliseconds.
    """

    test: str
    location: str
    previous_run_id: int
    run_id: int
    before: float
    after: float

    @property
    def change(self) -> float:
        """After ÷ before − 1."""
        return self.after / self.before - 1
