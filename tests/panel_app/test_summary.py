from __future__ import annotations

import re
from typing import Any

import pandas as pd

from panel_app.summary import COLUMNS, MOST_ROWS, SEARCHED_FROM, summary_html

Rows = list[tuple[str | None, float | None, int]]
ROWS: Rows = [("b", 5.0, 30), ("a", 50.0, 10), ("c", None, 20), (None, 20.0, 60)]
"""b is fast, a is slow, c was never answered: name, p95 and requests."""


def table(rows: Rows = ROWS, **options: Any) -> str:
    """Show made-up SUMMARIES rows."""
    figures = {column.key: 1.0 for column in COLUMNS}
    frame = pd.DataFrame(
        [
            {**figures, "scope": "total" if name is None else "name", "name": name, "method": None}
            | {"p95_ms": p95, "requests": requests, "failures": 0, "precision": "exact"}
            for name, p95, requests in rows
        ]
    )
    given: dict[str, Any] = {"order": "name", "find": "", "is_all": False, "kept": [("run_id", "7")]}
    return summary_html(frame, options.pop("courses", {}), link=lambda **state: f"?{state}", **{**given, **options})


def names(html: str) -> list[str]:
    """Give the first column as it is shown."""
    return re.findall(r'data-label="Request" class=" name">(.*?)</td>', html)


def many(number: int) -> Rows:
    """Make rows of so many endpoints."""
    return [(f"/items/{place:03d}", 1.0, 1) for place in range(number)]


def test_the_total_is_first_and_names_are_sorted() -> None:
    """From A, or as chosen; a missing value is last either way."""
    assert names(table()) == ["All requests", "a", "b", "c"]
    assert names(table(order="-p95_ms")) == ["All requests", "a", "b", "c"]
    assert names(table(order="p95_ms")) == ["All requests", "b", "a", "c"]
    assert names(table(order="-requests")) == ["All requests", "b", "c", "a"]


def test_a_heading_leads_to_the_other_order() -> None:
    """And says in which one the table is."""
    html = table(order="-p95_ms")

    assert 'aria-sort="descending"><a href="?{&#39;order&#39;: &#39;p95_ms&#39;}"' in html
    assert "{&#39;order&#39;: &#39;-requests&#39;}" in html


def test_a_missing_percentile_is_a_dash() -> None:
    """What was not measured is not 0."""
    assert 'data-label="p95, ms" class="n none">–<' in table()


def test_few_rows_need_no_search() -> None:
    """More have a field for it, which keeps the rest of the state."""
    html = table(many(SEARCHED_FROM + 1))

    assert 'type="search"' not in table()
    assert 'type="search"' in html
    assert '<input type="hidden" name="run_id" value="7">' in html


def test_a_search_finds_parts_of_names_in_any_case() -> None:
    """The total stays; nothing found is said."""
    rows = [*many(30), ("/Other", 1.0, 1), (None, 1.0, 9)]

    assert names(table(rows, find="oTHer")) == ["All requests", "/Other"]
    assert "No request is called like that." in table(rows, find="<none>")
    assert "<none>" not in table(rows, find="<none>")


def test_of_hundreds_of_rows_some_are_shown_until_all_are_wanted() -> None:
    """The number of the others is a link to them."""
    assert len(names(table(many(300)))) == MOST_ROWS
    assert f">{300 - MOST_ROWS} more</a>" in table(many(300))
    assert len(names(table(many(300), is_all=True))) == 300


def test_a_course_is_drawn_for_those_that_have_one() -> None:
    """The column is there only if there are any."""
    html = table(courses={("a", None): [1.0, None, 3.0, 4.0]})

    assert html.count("<svg") == 1
    assert 'aria-label="p95 of a over the run"' in html
    assert "p95 over time" not in table()
