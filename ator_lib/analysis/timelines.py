"""Reading a timeline (``schema.TIMELINE``): the rows of the whole run as series of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.blocks import FloatArray


def whole_run(timeline: pa.Table) -> pa.Table:
    """Return the rows of the whole run, by time."""
    return timeline.filter(pc.is_null(timeline["name"])).sort_by("interval_start")


def numbers(rows: pa.Table, column: str) -> FloatArray:
    """Return a column, nan for null."""
    values: FloatArray = rows[column].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def longest_stretch(holds: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    """Return the most neighbours for which something holds.

    Examples
    --------
    >>> longest_stretch(np.array([True, False, True, True, False])), longest_stretch(np.array([], bool))
    (2, 0)
    """
    ends = np.concatenate([[-1], np.flatnonzero(~holds), [len(holds)]])
    return int(np.diff(ends).max()) - 1
