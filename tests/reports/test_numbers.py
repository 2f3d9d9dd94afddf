"""Figures as tables of numbers."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from ator_lib.reports.numbers import numbers_table


def rows_of(figure: go.Figure) -> list[list[str]]:
    """Give the cells of the figure's table, the head first."""
    table = numbers_table(json.loads(figure.to_json()), "Title")
    rows = re.findall(r"<tr>(.*?)</tr>", table)
    return [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_a_row_per_time_and_a_column_per_line() -> None:
    """Lines over time share their rows; numbers kept as bytes are read; a gap is a gap."""
    times = np.array(["2026-01-01T12:00:00", "2026-01-01T12:00:01"], dtype="datetime64[us]")
    figure = go.Figure(
        [
            go.Scatter(x=times, y=np.array([120.0, np.nan]), name="p50"),
            go.Scatter(x=times, y=[300, 1234.5], name="p95"),
            go.Scatter(x=times, y=[1, 1], hoverinfo="skip"),
        ],
        layout={"yaxis": {"title": {"text": "latency (ms)"}}},
    )
    assert rows_of(figure) == [
        ["", "latency (ms) · p50", "latency (ms) · p95"],
        ["2026-01-01 12:00:00", "120", "300"],
        ["2026-01-01 12:00:01", "–", "1,234"],
    ]


def test_a_row_per_endpoint_with_intervals_and_the_heading_of_each_drawing() -> None:
    """Where the rows of a drawing have words, they are the table's rows; intervals stand behind the values."""
    figure = make_subplots(cols=2, subplot_titles=["p50 (%)", "p95 (%)"])
    bars = {"type": "data", "array": [2.0], "arrayminus": [1.0]}
    for column in (1, 2):
        figure.add_scatter(x=[10.0 * column], y=[1], error_x=bars, name="regressed", col=column, row=1)
    figure.update_yaxes(tickvals=[0, 1], ticktext=["total", "<b>GET /a</b>"])
    assert rows_of(figure) == [
        ["", "p50 (%) · regressed", "p95 (%) · regressed"],
        ["GET /a", "10.0 (9.00 … 12.0)", "20.0 (19.0 … 22.0)"],
    ]


def test_a_heat_map_is_its_cells() -> None:
    """A row per row, a column per column; an empty cell is missing."""
    figure = go.Figure(go.Heatmap(x=["a", "b"], y=["GET /&lt;x&gt;", "GET /y"], z=[[1, None], [3, 4]]))
    assert rows_of(figure) == [["", "a", "b"], ["GET /<x>", "1.00", "–"], ["GET /y", "3.00", "4.00"]]


def test_many_points_are_thinned_and_told() -> None:
    """The table has 40 rows, from the first to the last, and says of how many."""
    figure = go.Figure(go.Scatter(x=list(range(10_000)), y=list(range(10_000)), name="n"))
    rows = rows_of(figure)
    assert len(rows) == 41
    assert (rows[1][0], rows[-1][0]) == ("0", "9,999")
    assert "40 of 10,000 rows are shown." in numbers_table(json.loads(figure.to_json()), "")


@pytest.mark.parametrize(
    "figure",
    [
        {"data": [], "layout": {}},
        {"data": [{"type": "pie", "values": [1, 2]}]},
        {"data": [{"x": {"bdata": "?", "dtype": "f8"}, "y": [1]}]},
        {"data": [{"x": [[1]], "y": [1], "xaxis": 5}], "layout": {"xaxis": None}},
        {"data": [{"x": [1], "y": [2]}], "layout": {"annotations": [{"xref": "paper", "x": "2026"}], "yaxis": []}},
    ],
)
def test_what_has_no_points_has_no_table(figure: dict[str, Any]) -> None:
    """Other figures, and what is none, give nothing."""
    assert numbers_table(figure, "Title") == ""
