"""Labelled series and how to score answers to them.

A folder of series holds ``tcpd.csv`` (series, index, value) with ``tcpd_annotations.json`` (series → annotator →
indexes), of the Turing Change Point Dataset, and ``otava_tigerbeetle.csv`` with ``otava_tigerbeetle_reference.json``
(``references``, each with ``params`` and ``expected_indexes``), of Apache Otava's tests.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._energy_divergence import Setting

FloatArray = npt.NDArray[np.float64]
MARGIN = 5


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A series with what its annotators saw."""

    name: str
    values: FloatArray
    annotations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What Otava answers at one setting."""

    setting: Setting
    indexes: tuple[int, ...]


def univariate(folder: Path) -> list[Labelled]:
    """Read the series of one column."""
    annotations = json.loads((folder / "tcpd_annotations.json").read_text())
    table = pd.read_csv(folder / "tcpd.csv")
    return [
        Labelled(
            name=str(name),
            values=rows["value"].to_numpy(),
            annotations=tuple(map(tuple, annotations[name].values())),
        )
        for name, rows in table.groupby("series", sort=False)
        if name in annotations
    ]


def tigerbeetle(folder: Path) -> tuple[FloatArray, list[Reference]]:
    """Read the series and Otava's answers."""
    values = pd.read_csv(folder / "otava_tigerbeetle.csv")["value"].to_numpy(np.float64)
    references = json.loads((folder / "otava_tigerbeetle_reference.json").read_text())["references"]
    return values, [
        Reference(setting=Setting(**reference["params"]), indexes=tuple(reference["expected_indexes"]))
        for reference in references
    ]


def f1(annotations: Collection[Collection[int]], found: Collection[int]) -> float:
    """Return the F measure against several annotators: precision for all their points, recall as their mean.

    Index 0 belongs to every answer. Source: van den Burg and Williams, arXiv 2003.06222.

    Examples
    --------
    >>> f1([[10, 20], [11, 20], [10], [0, 5]], [10, 20])
    1.0
    >>> round(f1([[], [10], [50]], []), 3)
    0.8
    """
    answer = {0, *found}
    seen = [{0, *points} for points in annotations]
    precision = _hits(set().union(*seen), answer) / len(answer)
    recall = sum(_hits(points, answer) / len(points) for points in seen) / len(seen)
    return 2 * precision * recall / (precision + recall)


def _hits(truth: Collection[int], answer: Collection[int]) -> int:
    """Count the points that have an answer of their own within the margin."""
    left = set(answer)
    hits = 0
    for point in sorted(truth):
        nearest = min(left, key=lambda index: (abs(index - point), index), default=None)
        if nearest is not None and abs(nearest - point) <= MARGIN:
            left.remove(nearest)
            hits += 1
    return hits


def mean_f1(series: Collection[Labelled], answers: Mapping[str, Collection[int]]) -> float:
    """Return the mean over series."""
    return sum(f1(one.annotations, answers[one.name]) for one in series) / len(series)
