from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from panel_app.markup import moment

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "when", [NOON, NOON.astimezone(timezone(timedelta(hours=5.5))), pd.Timestamp(NOON)], ids=["utc", "zone", "pandas"]
)
def test_a_time_is_an_element_that_the_browser_shows_in_its_zone(when: datetime) -> None:
    """Without scripts it is UTC."""
    assert moment(when) == '<time datetime="2026-03-01T12:00:05Z">2026-03-01 12:00:05</time>'


@pytest.mark.parametrize("when", [None, pd.NaT])
def test_no_time_is_a_dash(when: datetime | None) -> None:
    """No element."""
    assert moment(when) == "–"
