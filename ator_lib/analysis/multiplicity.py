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
