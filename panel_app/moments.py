"""Times in the state of a page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import param


class Moment(param.String[str]):
    """A time as ISO text, ``2026-11-21T20:01:05Z``; without a zone it is UTC, and empty is none."""

    def _validate_value(self, val: Any, allow_None: bool) -> None:  # noqa: N803 – param's own name
        super()._validate_value(val, allow_None)
        as_time(val)


def as_time(text: str) -> datetime | None:
    """Read a ``Moment``.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> as_time("2026-11-21T20:01:05Z"), as_time("")
    (datetime.datetime(2026, 11, 21, 20, 1, 5, tzinfo=datetime.timezone.utc), None)
    """
    if not text:
        return None
    time = datetime.fromisoformat(text)
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        raise ValueError(f"{text} is out of range") from None


def as_text(time: datetime | None) -> str:
    """Write a ``Moment``.

    Examples
    --------
    >>> as_text(datetime(2026, 11, 21, 20, 1, 5, tzinfo=UTC)), as_text(None)
    ('2026-11-21T20:01:05Z', '')
    """
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else ""
