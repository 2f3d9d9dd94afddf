from __future__ import annotations

import re
from typing import Any

import pytest

from panel_app.markup import _environment
from panel_app.sorting import Column, headings, ordered

COLUMNS = (
    Column(key="name", heading="Name"),
    Column(key="p95_ms", heading="p95, ms", kind="n"),
    Column(key="course", heading="Course", is_sortable=False),
)
ROWS: list[dict[str, Any]] = [
    {"name": "b", "p95_ms": 5.0},
    {"name": "a", "p95_ms": None},
    {"name": "c", "p95_ms": 50.0},
    {"name": "d", "p95_ms": 5.0},
]


@pytest.mark.parametrize(
    ("order", "asked", "told"),
    [
        ("name", ["-name", "-p95_ms", None], ["ascending", None, None]),
        ("-name", ["name", "-p95_ms", None], ["descending", None, None]),
        ("-p95_ms", ["name", "p95_ms", None], [None, "descending", None]),
        ("p95_ms", ["name", "-p95_ms", None], [None, "ascending", None]),
        ("another", ["name", "-p95_ms", None], [None, None, None]),
    ],
)
def test_a_heading_asks_for_its_order_and_then_for_the_other_way(
    order: str, asked: list[str | None], told: list[str | None]
) -> None:
    """Numbers begin with the highest; the one that sorts says how, and what cannot be sorted asks for nothing."""
    made = headings(COLUMNS, order)

    assert [heading.order for heading in made] == asked
    assert [heading.aria_sort for heading in made] == told


@pytest.mark.parametrize(
    ("order", "names"), [("name", "abcd"), ("-name", "dcba"), ("p95_ms", "bdca"), ("-p95_ms", "cbda")]
)
def test_rows_without_a_value_come_last_either_way(order: str, names: str) -> None:
    """Equal ones stay in their order, and the rows that were given stay as they are."""
    before = list(ROWS)

    assert "".join(row["name"] for row in ordered(ROWS, order)) == names
    assert before == ROWS


def test_a_heading_is_a_link_to_the_same_view_in_that_order() -> None:
    """It works in a new tab, too."""
    template = _environment.from_string(
        '{% from "parts.html" import heading %}{% for one in headings %}{{ heading(one, link) }}{% endfor %}'
    )
    html = template.render(headings=headings(COLUMNS, "-p95_ms"), link=lambda *, order: f"?test=a&order={order}")

    assert re.findall(r"<th.*</th>", html) == [
        '<th><a href="?test=a&amp;order=name" data-view>Name</a></th>',
        '<th class="n" aria-sort="descending"><a href="?test=a&amp;order=p95_ms" data-view>p95, ms</a></th>',
        "<th>Course</th>",
    ]
