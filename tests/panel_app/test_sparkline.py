from __future__ import annotations

import re
from math import nan

import pytest

from panel_app.sparkline import HEIGHT, WIDTH, sparkline


def points(svg: str) -> list[tuple[str, float, float]]:
    """Give what the pen does: down (``L``) or lifted (``M``), and where to."""
    (path,) = re.findall(r' d="([^"]*)"', svg)
    return [(pen, float(x), float(y)) for pen, x, y in re.findall(r"([ML])(\S+) ([^ML]+)", path)]


def test_values_are_drawn_from_left_to_right_and_from_0_up() -> None:
    """The highest value reaches the top, and half of it the middle."""
    assert points(sparkline([0, 5, 10])) == [
        ("M", 2.0, HEIGHT - 2.0),
        ("L", WIDTH / 2, HEIGHT / 2),
        ("L", WIDTH - 2.0, 2.0),
    ]


@pytest.mark.parametrize("missing", [None, nan])
def test_what_is_missing_is_a_gap(missing: float | None) -> None:
    """The pen is lifted; the others stay in their places."""
    drawn = points(sparkline([1, 1, missing, 1, 1]))

    assert [pen for pen, *_ in drawn] == ["M", "L", "M", "L"]
    assert [x for _, x, _ in drawn] == [2.0, 25.0, 71.0, 94.0]


@pytest.mark.parametrize("values", [[], [1.0], [None, 1.0, nan], [None, None]])
def test_less_than_two_values_are_no_line(values: list[float | None]) -> None:
    """Nothing is drawn."""
    assert sparkline(values) == ""


def test_values_of_0_are_a_line_at_the_bottom() -> None:
    """No division by 0."""
    assert {y for *_, y in points(sparkline([0, 0, 0]))} == {HEIGHT - 2.0}


def test_the_label_is_escaped() -> None:
    """Endpoints have any name."""
    assert 'aria-label="p95 of &lt;b&gt;&#34;"' in sparkline([1, 2], 'p95 of <b>"')
