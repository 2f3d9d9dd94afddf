"""How values are written, beyond the examples in the docstrings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ator_lib
from ator_lib import written

WRITERS = [
    written.text,
    written.count,
    written.decimal,
    written.digits,
    written.percent,
    written.change,
    written.duration,
    written.size,
    written.moment,
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("missing", [None, float("nan"), pd.NaT, pd.NA])
def test_what_is_missing_is_a_dash_and_never_zero(write: Callable[[Any], str], missing: Any) -> None:
    """Every writer shows a missing value as an en dash."""
    assert write(missing) == "–"


@pytest.mark.parametrize("value", [np.array([np.nan]), np.array([1, 2]), [], "", {}])
def test_what_holds_others_is_there(value: Any) -> None:
    """A cell with a list or an array is no missing one, whatever is in it."""
    assert not written.is_missing(value)


@pytest.mark.parametrize(
    ("write", "value", "expected"),
    [
        (written.count, np.int64(1_234_567), "1,234,567"),
        (written.decimal, 1e-7, "0.0000001"),
        (written.digits, 0.04, "0.0400"),
        (written.digits, 99.96, "100"),
        (written.percent, 0.157, "15.7 %"),
        (written.percent, 1.0, "100 %"),
        (written.duration, 0, "0.0 s"),
        (written.duration, 59.6, "1 min 00 s"),
        (written.size, 0, "0 B"),
        (written.size, 999_600, "1.00 MB"),
        (written.size, 10**16, "10,000 TB"),
    ],
)
def test_numbers_are_written_for_people(write: Callable[[Any], str], value: Any, expected: str) -> None:
    """Each kind of number has its places and its unit, next to a border, too."""
    assert write(value) == expected


def test_times_are_written_in_utc() -> None:
    """A time of another zone is shown as the same moment in UTC."""
    local = datetime(2026, 1, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert written.moment(local) == "2026-01-01 23:30:00"
    assert written.moment(pd.Timestamp(local)) == "2026-01-01 23:30:00"


@pytest.mark.parametrize("most", [1, 2, 3, 8, 9, 10])
def test_a_cut_text_is_as_long_as_asked_for(most: int) -> None:
    """However short that is; one that fits stays whole."""
    assert len(written.cut("/products", most)) == min(most, 9)


def test_whoever_imports_the_library_has_them() -> None:
    """``ator_lib.written`` needs no import of its own."""
    assert ator_lib.written is written
    assert "written" in dir(ator_lib)
