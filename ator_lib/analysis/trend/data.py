"""What a trend is given of a history: two small tables, the marks on its runs, and how they become series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.trend.query import NAMES, TOTAL
from ator_lib.model import Annotation

Floats = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """Runs and their figures; the tables are only read.

    Attributes
    ----------
    runs
        A row per run, by its start: run_id, started_at (null: nobody knows), tool, tool_version, stream, environment,
        location, and ``series``, the value of what runs are told apart by (null: the run has none).
    values
        A row per run and series of names, in no order: run_id, name, method, ``value``.
    annotations
        Marks on runs, of this history or not.
    """

    runs: pa.Table
    values: pa.Table
    annotations: tuple[Annotation, ...] = ()

    def series(self, by: str) -> Iterator[tuple[str, Places, Floats]]:
        """Give each series by its label: the places of its runs, in order, and its values, nan where there is none."""
        places = places_of(self.runs, self.values["run_id"])
        labels = pa.chunked_array([self._labels(by, places)]).combine_chunks().dictionary_encode()
        names, codes = labels.dictionary.to_pylist(), np.asarray(labels.indices)
        values = np.asarray(pc.fill_null(self.values["value"].cast(pa.float64()), np.nan), dtype=np.float64)
        order = np.lexsort((places, codes))
        order = order[places[order] >= 0]
        bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
        for code in sorted(range(len(names)), key=names.__getitem__):
            mine = order[bounds[code] : bounds[code + 1]]
            if len(mine):
                yield names[code], places[mine], values[mine]

    def _labels(self, by: str, places: Places) -> pa.Array:
        if by == NAMES:
            texts = (self.values["method"].combine_chunks(), self.values["name"].combine_chunks())
            return pc.binary_join_element_wise(*texts, " ", null_handling="skip")
        if by == TOTAL:
            return pa.repeat(pa.scalar(TOTAL), len(places))
        return pc.fill_null(self.runs["series"].combine_chunks(), f"no {by}").take(pa.array(places))


def places_of(runs: pa.Table, run_ids: Any) -> Places:
    """Give the row in ``runs`` (by ``run_id``) of each run; -1 where it is not there."""
    known, asked = (np.asarray(ids, dtype=np.int64) for ids in (runs["run_id"], run_ids))
    if not len(known):
        return np.full(len(asked), -1)
    order = np.argsort(known)
    places = order[np.searchsorted(known, asked, sorter=order).clip(max=len(known) - 1)]
    return np.where(known[places] == asked, places, -1)
