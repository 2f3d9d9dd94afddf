from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from panel_app import formats

WRITERS = [
    formats.text,
    formats.count,
    formats.decimal,
    formats.rate,
    formats.milliseconds,
    formats.percent,
    formats.moment,
    formats.duration,
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("missing", [None, float("nan"), pd.NaT, pd.NA])
def test_what_is_missing_is_a_dash_and_never_zero(write: Callable[[Any], str], missing: Any) -> None:
    """Every writer shows a missing value as an en dash."""
    assert write(missing) == "–"


@pytest.mark.parametrize(
    ("write", "value", "written"),
    [
        (formats.count, 0, "0"),
        (formats.count, 1_234_567, "1\u202f234\u202f567"),
        (formats.decimal, Decimal("0.40"), "0.4"),
        (formats.decimal, Decimal(10), "10"),
        (formats.decimal, 503.0, "503"),
        (formats.rate, 0.04, "0.0"),
        (formats.rate, 99.96, "100"),
        (formats.milliseconds, 1.234, "1.23"),
        (formats.milliseconds, 12.34, "12.3"),
        (formats.milliseconds, 1234.5, "1\u202f234"),
        (formats.percent, 0, "0 %"),
        (formats.percent, 0.00001, "< 0.01 %"),
        (formats.percent, 0.0042, "0.42 %"),
        (formats.percent, 0.157, "15.7 %"),
        (formats.percent, 1.0, "100 %"),
        (formats.duration, 0, "0.0 s"),
        (formats.duration, 42.4, "42 s"),
        (formats.duration, 185, "3 min 05 s"),
        (formats.duration, 7_620, "2 h 07 min"),
        (formats.duration, 273_600, "3 d 4 h"),
    ],
)
def test_numbers_are_written_for_people(write: Callable[[Any], str], value: Any, written: str) -> None:
    """Each kind of number has its places and its unit."""
    assert write(value) == written


def test_times_are_written_in_utc() -> None:
    """A time of another zone is shown as the same moment in UTC."""
    local = datetime(2026, 1, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert formats.moment(local) == "2026-01-01 23:30:00"
