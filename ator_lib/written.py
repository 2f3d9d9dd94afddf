"""How values are written for people: in notebooks, figures, reports, pages and on the command line alike.

What is missing (``None``, nan, pandas' NaT and NA) is an en dash.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

MISSING = "–"

_SIZES = ("B", "kB", "MB", "GB", "TB")

_MOST_RUNS = 8
"""Named one by one; more would fill a title."""

Number = float | int | Decimal


def is_missing(value: Any) -> bool:
    """Whether there is no value: null, nan, or pandas' NaT or NA. An empty text, list or array is a value.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    if value is None or hasattr(value, "__len__"):  # arrays compare item by item
        return value is None
    try:
        return bool(value != value)
    except TypeError:  # NA is neither equal to itself nor not
        return True


def text(value: Any) -> str:
    """Write anything as it is; what would be empty is an en dash, too.

    Examples
    --------
    >>> text("lab-1"), text(None), text("")
    ('lab-1', '–', '–')
    """
    return MISSING if is_missing(value) else str(value) or MISSING


def count(value: Number | None) -> str:
    """Write a whole number.

    Examples
    --------
    >>> count(12480), count(None)
    ('12,480', '–')
    """
    return MISSING if value is None or is_missing(value) else f"{value:,.0f}"


def decimal(value: Number | None) -> str:
    """Write a number with all of its digits, but for needless zeros.

    Examples
    --------
    >>> decimal(Decimal("0.40")), decimal(503.0), decimal(None)
    ('0.4', '503', '–')
    """
    return MISSING if is_missing(value) else f"{Decimal(str(value)).normalize():f}"


def digits(value: Number | None) -> str:
    """Write a number with three significant digits, but every digit before the point: latencies and rates.

    Examples
    --------
    >>> digits(0.01234), digits(0.5), digits(12.34), digits(1234.5), digits(0)
    ('0.0123', '0.500', '12.3', '1,234', '0')
    """
    if value is None or is_missing(value):
        return MISSING
    magnitude = abs(float(value))
    if magnitude >= 99.95:
        return f"{value:,.0f}"
    places = 1 if magnitude >= 9.995 else 2
    return f"{value:.{places}f}" if magnitude >= 0.9995 else f"{float(value):#.3g}" if value else "0"


def percent(share: Number | None) -> str:
    """Write a share of 1 in percent; what is above 0 never reads as 0, nor what is below 1 as 100.

    Examples
    --------
    >>> percent(0), percent(0.00001), percent(0.0123), percent(0.9999)
    ('0 %', '< 0.01 %', '1.23 %', '> 99.9 %')
    """
    if share is None or is_missing(share):
        return MISSING
    share = float(share)
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.{2 if abs(share) < 0.0995 else 1}f} %"


def measured(metric: str, value: Number | None) -> str:
    """Write a figure of a metric with the metric's unit.

    Examples
    --------
    >>> measured("p95_ms", 12.34), measured("error_rate", 0.5), measured("throughput_rps", 1234.5)
    ('12.3 ms', '50.0 %', '1,234/s')
    """
    if is_missing(value):
        return MISSING
    if metric == "error_rate":
        return percent(value)
    return digits(value) + (" ms" if metric.endswith("_ms") else "/s" if metric.endswith("_rps") else "")


def signed(share: float) -> str:
    """Write a change, a share of 1, in percent or points without the unit: one digit after the point below ten.

    Examples
    --------
    >>> signed(0.1234), signed(-0.0056), signed(12.5), signed(-0.0001)
    ('+12', '-0.6', '+1,250', '0')
    """
    points = 100 * share
    written = f"{points:+,.0f}" if abs(points) >= 9.95 else f"{points:+.1f}"
    return "0" if written in ("+0.0", "-0.0") else written


def change(effect: float | None, *, unit: str = "%") -> str:
    """Write a change, given as a share of 1, with its sign: one digit after the point below ten.

    Examples
    --------
    >>> change(0.1234), change(-0.0056), change(0.0312, unit="points")
    ('+12 %', '-0.6 %', '+3.1 points')
    """
    return MISSING if effect is None or is_missing(effect) else f"{signed(effect)} {unit}"


def interval(low: float | None, high: float | None) -> str:
    """Write an interval of a change, in the unit that stands beside it; what has one end only has no interval.

    Examples
    --------
    >>> interval(0.021, 0.1), interval(None, 0.1)
    ('+2.1 … +10', '–')
    """
    if low is None or high is None or is_missing(low) or is_missing(high):
        return MISSING
    return f"{signed(low)} … {signed(high)}"


def duration(seconds: Number | None) -> str:
    """Write a length of time.

    Examples
    --------
    >>> duration(4.25), duration(42), duration(185), duration(7620), duration(273600)
    ('4.2 s', '42 s', '3 min 05 s', '2 h 07 min', '3 d 4 h')
    """
    if seconds is None or is_missing(seconds):
        return MISSING
    if 0 <= seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = max(0, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"


def size(n_bytes: Number | None) -> str:
    """Write a number of bytes, with a prefix of ten to the power of 3, 6, 9 or 12.

    Examples
    --------
    >>> size(812), size(12_345), size(200_000_000), size(None)
    ('812 B', '12.3 kB', '200 MB', '–')
    """
    if n_bytes is None or is_missing(n_bytes):
        return MISSING
    if n_bytes < 1000:
        return f"{n_bytes:.0f} B"
    power = next((power for power in range(1, len(_SIZES)) if n_bytes < 999.5 * 1000**power), len(_SIZES) - 1)
    return f"{digits(n_bytes / 1000**power)} {_SIZES[power]}"


def moment(when: datetime | None) -> str:
    """Write a time in UTC to the second; who shows it says that it is UTC.

    Examples
    --------
    >>> moment(datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC))
    '2026-03-01 12:00:05'
    """
    return MISSING if when is None or is_missing(when) else f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def runs(labels: Mapping[int, str]) -> str:
    """Name the runs of a side, given as id → label: one by its label, several by their ids.

    Examples
    --------
    >>> runs({7: "run 7 (main)"}), runs({1: "run 1", 2: "run 2"}), runs({n: f"run {n}" for n in range(20)})
    ('run 7 (main)', 'runs 1, 2', '20 runs from 0 to 19')
    """
    if len(labels) == 1:
        return next(iter(labels.values()))
    if len(labels) > _MOST_RUNS:
        return f"{len(labels)} runs from {min(labels)} to {max(labels)}"
    return f"runs {', '.join(map(str, labels))}"


def cut(words: str, most: int) -> str:
    """Cut a long text in its middle: paths differ at their ends.

    Examples
    --------
    >>> cut("/a/very/long/name", 9)
    '/a/v…name'
    """
    if len(words) <= most:
        return words
    half = (most - 1) // 2
    return f"{words[: most - 1 - half]}…{words[len(words) - half :]}"


def because(headline: str | None, verdict: str | None) -> str:
    """Take the verdict off a headline that begins with it, for where it stands beside; empty if there is none.

    Examples
    --------
    >>> because("regressed: GET /search p95 +62 %", "regressed"), because("disk full", "failure"), because(None, None)
    ('GET /search p95 +62 %', 'disk full', '')
    """
    return (headline or "").removeprefix(f"{verdict}: ")


def sentence(words: str) -> str:
    """Write words as a sentence of their own.

    Examples
    --------
    >>> sentence("requests failed"), sentence("1 % slower.")
    ('Requests failed.', '1 % slower.')
    """
    closed = words if words.endswith((".", "!", "?")) else f"{words}."
    return closed[:1].upper() + closed[1:]
