from __future__ import annotations

import re

import pandas as pd

from panel_app.fragment import Fragment
from panel_app.summary import COLUMNS, SummaryTable


def summary() -> pd.DataFrame:
    """Make synthetic SUMMARIES rows: b is fast, a is slow, c was never answered."""
    rows = [("name", "b", 5.0, 30), ("name", "a", 50.0, 10), ("name", "c", None, 20), ("total", None, 20.0, 60)]
    columns = {column.key: 1.0 for column in COLUMNS}
    return pd.DataFrame(
        [
            {
                **columns,
                "scope": s,
                "name": n,
                "method": None,
                "p95_ms": p95,
                "requests": r,
                "failures": 0,
                "precision": "exact",
            }
            for s, n, p95, r in rows
        ]
    )


def order(table: SummaryTable) -> list[str]:
    """Give the first column as it is shown."""
    fragment = table.__panel__()
    assert isinstance(fragment, Fragment)
    return re.findall(r'data-label="Request" class="">(.*?)</td>', fragment.html)


def test_total_is_first_and_names_are_sorted() -> None:
    """Unless something is chosen, names run from A."""
    table = SummaryTable()
    table.display(summary())

    assert order(table) == ["All requests", "a", "b", "c"]


def test_choosing_a_column_sorts_by_it_and_again_the_other_way() -> None:
    """Numbers start with the greatest; a missing value is last either way; the total stays on top."""
    table = SummaryTable()
    table.display(summary())

    table.choose("p95_ms")
    assert order(table) == ["All requests", "a", "b", "c"]
    table.choose("p95_ms")
    assert order(table) == ["All requests", "b", "a", "c"]
    table.choose("requests")
    assert order(table) == ["All requests", "b", "c", "a"]


def test_choosing_nonsense_changes_nothing() -> None:
    """What comes from a browser may be anything."""
    table = SummaryTable()
    table.display(summary())
    table.choose("<script>")

    assert order(table) == ["All requests", "a", "b", "c"]


def test_a_missing_percentile_is_a_dash() -> None:
    """What was not measured is not 0."""
    table = SummaryTable()
    table.display(summary())

    assert 'data-label="p95, ms" class="n none">–<' in table.__panel__().html  # type: ignore[attr-defined]
