"""A line in a table's cell: the course of a value, without axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from markupsafe import Markup

WIDTH, HEIGHT = 96, 22
_PAD = 2


def sparkline(values: Sequence[float | None], label: str = "") -> Markup:
    """Draw values from left to right as inline SVG, from 0 up; what is missing is a gap. Nothing without two of them.

    Parameters
    ----------
    label
        What screen readers say of it.
    """
    known = [value for value in values if value is not None and not isnan(value)]
    if len(known) < 2:
        return Markup()
    top = max(known) or 1.0
    step = (WIDTH - 2 * _PAD) / max(1, len(values) - 1)
    drawn, pen = [], "M"
    for place, value in enumerate(values):
        if value is None or isnan(value):
            pen = "M"
            continue
        drawn.append(f"{pen}{_PAD + place * step:.1f} {HEIGHT - _PAD - value / top * (HEIGHT - 2 * _PAD):.1f}")
        pen = "L"
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">'
        '<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, label=label, path="".join(drawn))
