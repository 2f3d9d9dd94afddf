"""The numbers of a figure as a table, where there is nothing to draw a picture with."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ator_lib.figures import markup
from ator_lib.written import MISSING, digits, is_missing

_MOST_ROWS = 40
_MOST_COLUMNS = 12
_TAG = re.compile(r"<[^>]*>")


def numbers_table(figure: Mapping[str, Any], title: str) -> str:
    """Return an HTML table of a plotly figure, given as its JSON: a row per endpoint or time, a column per series.

    Of many rows 40 are shown, and 12 of many columns, evenly chosen. Empty where the figure has no points on two axes
    (a pie, a map), or is none that can be read: it may be anybody's.
    """
    rows: dict[str, dict[str, str]] = {}
    names: dict[str, None] = {}  # in their order
    try:
        for key, name, value in _points(figure):
            rows.setdefault(key, {})[name] = value
            names[name] = None
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""
    if not rows:
        return ""
    keys, columns = _evenly(rows, _MOST_ROWS), _evenly(names, _MOST_COLUMNS)
    left_out = [f"{len(keys)} of {len(rows):,} rows are shown."] * (len(rows) > len(keys))
    left_out += [f"{len(columns)} of {len(names):,} columns are shown."] * (len(names) > len(columns))
    shown = [{"": key, **rows[key]} for key in keys]
    return markup.shown(
        markup.paragraph(title) if title else "",
        markup.table(shown, [_column(name) for name in ("", *columns)], name=title or "Numbers of the figure"),
        markup.notes(left_out),
    )


def _evenly(names: Iterable[str], most: int) -> list[str]:
    """Choose so many of them at most, the first and the last among them."""
    every = list(names)
    chosen = np.linspace(0, len(every) - 1, min(len(every), most)).round().astype(int)
    return [every[place] for place in chosen]


def plain_text(words: Any) -> str:
    """Take plotly's markup out of a text; what was escaped in it is text again.

    Examples
    --------
    >>> plain_text("<b>total</b>"), plain_text("GET /&lt;id&gt;"), plain_text(None)
    ('total', 'GET /<id>', '')
    """
    return html.unescape(_TAG.sub(" ", str(words or ""))).strip()


def _column(name: str) -> markup.Column:
    return markup.Column(heading=name, write=lambda row: row.get(name, MISSING))


def _points(figure: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give row, column and value of each point that a reader can see."""
    layout = figure.get("layout", {})
    for trace in figure.get("data", []):
        if "x" not in trace or "y" not in trace or trace.get("hoverinfo") == "skip" or trace.get("visible") is False:
            continue
        across, down = (_Axis(layout, trace, letter) for letter in "xy")
        x, y = _values(trace["x"]), _values(trace["y"])
        if "z" in trace:
            for key, row in zip(y, _values(trace["z"]), strict=False):
                for at, z in zip(x, row, strict=False):
                    yield down.place(key), across.place(at), MISSING if is_missing(z) else _written(z)
            continue
        keys, values, axis = (y, x, across) if down.labels and not across.labels else (x, y, down)
        name = " · ".join(part for part in (axis.title, plain_text(trace.get("name"))) if part) or "value"
        intervals = _intervals(trace, "error_x" if values is x else "error_y")
        places = down if values is x else across
        for index, (key, value) in enumerate(zip(keys, values, strict=False)):
            if not is_missing(key) and not is_missing(value):
                yield places.place(key), name, axis.place(value) + intervals.get(index, "")


class _Axis:
    """What a trace's axis is called, and the words at its places."""

    def __init__(self, layout: Mapping[str, Any], trace: Mapping[str, Any], letter: str) -> None:
        number = str(trace.get(f"{letter}axis", letter))[1:]
        axis = layout.get(f"{letter}axis{number}", {})
        title = axis.get("title", {})
        self.title = plain_text(title.get("text") if isinstance(title, Mapping) else title)
        if not self.title:
            self.title = _heading(layout, axis, letter)
        pairs = zip(_values(axis.get("tickvals", [])), axis.get("ticktext", []), strict=False)
        self.labels = {value: plain_text(words) for value, words in pairs}

    def place(self, value: Any) -> str:
        return self.labels.get(value) or _written(value)


def _heading(layout: Mapping[str, Any], axis: Mapping[str, Any], letter: str) -> str:
    """Give the words above the drawing of one of several axes that stand side by side."""
    low, high = axis.get("domain", (0, 0))
    above = (
        note.get("text")
        for note in layout.get("annotations", [])
        if letter == "x" and note.get("xref") == "paper" and abs(note.get("x", -1) - (low + high) / 2) < 1e-6
    )
    return plain_text(next(above, "")) if high > low else ""


def _intervals(trace: Mapping[str, Any], side: str) -> dict[int, str]:
    """Give the intervals that are drawn around a trace's points, as texts behind their values."""
    bars = trace.get(side, {})
    above = _values(bars.get("array", []))
    below = _values(bars.get("arrayminus", above))
    centres = _values(trace[side[-1]])
    return {
        index: f" ({digits(centre - minus)} … {digits(centre + plus)})"
        for index, (centre, minus, plus) in enumerate(zip(centres, below, above, strict=False))
        if plus and minus and not is_missing(centre)
    }


def _values(values: Any) -> list[Any]:
    """Read a list as it stands in a figure's JSON: numbers may be bytes in base64."""
    if isinstance(values, Mapping):
        numbers = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
        shape = [int(length) for length in str(values.get("shape", numbers.size)).split(",")]
        read: list[Any] = numbers.reshape(shape).tolist()
        return read
    return list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []


def _written(value: Any) -> str:
    if isinstance(value, int | float):
        return digits(value)
    words = plain_text(value)
    return words.replace("T", " ").removesuffix(".000000") if words[4:5] == "-" and words[10:11] == "T" else words
