"""Many rows are judged at once, so some look significant by chance: false discovery rate."""

from __future__ import annotations

from collections.abc import Sequence


def q_values(p_values: Sequence[float]) -> list[float]:
    """Return each p value's smallest Benjamini-Hochberg level at which it is still a discovery.

    Valid for independent and for positively dependent tests, as the percentiles of one endpoint are.

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995).

    Examples
    --------
    >>> [round(q, 4) for q in q_values([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.0533, 0.0533, 0.5]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    answer = [1.0] * len(p_values)
    smallest = 1.0
    for place, index in enumerate(order):
        smallest = min(smallest, p_values[index] * (len(p_values) / (len(p_values) - place)))
        answer[index] = smallest
    return answer


def simes(p_values: Sequence[float]) -> float:
    """Return one p value for "at least one of these is no chance": the smallest Benjamini-Hochberg level among them.

    Source: Simes, "An improved Bonferroni procedure", Biometrika 73 (1986).

    Examples
    --------
    >>> round(simes([0.01, 0.04, 0.03, 0.5]), 4)
    0.04
    """
    return min(q_values(p_values))


def nested_q_values(groups: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return each p value's smallest level at which its group is a discovery, and it is one within its group.

    Groups (endpoints) are selected by Benjamini-Hochberg on their Simes p values; the tests (metrics) of a selected
    group are then judged at the level times the selected share of the groups. So metrics of one endpoint, which say
    much the same, are not counted as often as there are of them, and the expected share of false discoveries within
    the selected endpoints is bounded.

    Source: Benjamini and Bogomolov, "Selective inference on multiple families of hypotheses", Journal of the Royal
    Statistical Society B 76 (2014).

    Examples
    --------
    >>> [[round(q, 4) for q in group] for group in nested_q_values([[0.001, 0.9], [0.5, 0.6], [0.7]])]
    [[0.006, 0.9], [0.7, 0.7], [0.7]]
    """
    within = [q_values(group) for group in groups]
    across = sorted(q_values([min(group) for group in within]))
    return [[_smallest_level(q, across) for q in group] for group in within]


def _smallest_level(within: float, across: Sequence[float]) -> float:
    """Find the least level: where it selects k of n groups, ``within`` must be at most k / n of it."""
    number = len(across)
    return min(1.0, *(max(level, within * number / k) for k, level in enumerate(across, start=1)))
