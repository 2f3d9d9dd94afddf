"""Numbers with units: as a gate file writes them, and as its report does."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_MOST_DIGITS = 15


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What a figure is counted in.

    Attributes
    ----------
    shown
        As it stands after a number.
    factors
        How it may be written → how many of this unit that is.
    highest
        The largest figure that there can be.
    one
        As it stands after 1, where that is another word.
    scale
        How many of what is shown one of this unit is: a share of 1 is 100 %.
    """

    shown: str
    factors: Mapping[str, float]
    highest: float = math.inf
    one: str | None = None
    scale: float = 1.0

    def write(self, value: float, beside: float | None = None) -> str:
        """Write a figure with its unit, with more digits where it would else look like the one ``beside`` it.

        Examples
        --------
        >>> MILLISECONDS.write(300.02), MILLISECONDS.write(300.02, beside=300), SHARE.write(0.0123)
        ('300 ms', '300.02 ms', '1.23 %')
        """
        digits = 3
        while digits < _MOST_DIGITS and beside is not None and value != beside:
            if _plain(value * self.scale, digits) != _plain(beside * self.scale, digits):
                break
            digits += 1
        shown = self.one if self.one and value * self.scale == 1 else self.shown
        return f"{_plain(value * self.scale, digits)} {shown}".rstrip()


def _plain(value: float, digits: int) -> str:
    """Write ``digits`` significant ones, but all before the point, and no zeros at the end."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    if places > _MOST_DIGITS:
        return f"{value:.{digits}g}"
    written = f"{value:.{places}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


_TIMES_MS = {"us": 0.001, "µs": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0}
MILLISECONDS = Unit(shown="ms", factors=_TIMES_MS)
SECONDS = Unit(shown="s", factors={name: ms / 1000 for name, ms in _TIMES_MS.items()})
RATE = Unit(shown="rps", factors={"rps": 1.0, "requests/s": 1.0, "/s": 1.0, "rpm": 1 / 60})
SHARE = Unit(shown="%", factors={"%": 0.01}, highest=1.0, scale=100.0)
POINTS = Unit(
    shown="points", factors={"points": 0.01, "point": 0.01, "pp": 0.01}, highest=1.0, one="point", scale=100.0
)
REQUESTS = Unit(shown="requests", factors={"requests": 1.0, "request": 1.0}, one="request")
CASES = Unit(shown="cases", factors={"cases": 1.0, "case": 1.0}, one="case")
BYTES = Unit(shown="B", factors={"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9})
APDEX = Unit(shown="", factors={}, highest=1.0)

_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>\D.*)?", re.DOTALL)


def read_quantity(given: object, unit: Unit, *, needs_unit: bool = False) -> float:
    """Read a number, which may have a unit, as a figure in ``unit``.

    Raises
    ------
    ValueError
        It is no number, has a foreign unit or none where one is needed, or no figure can be like that. A share of 1 or
        more without % is refused, too: whoever writes ``error_rate < 1`` means 1 %.

    Examples
    --------
    >>> read_quantity("1.5 s", MILLISECONDS), read_quantity(300, MILLISECONDS), read_quantity("5 %", SHARE)
    (1500.0, 300.0, 0.05)
    """
    written = str(given).strip()
    found = _QUANTITY.fullmatch(written)
    if isinstance(given, bool) or found is None:
        raise ValueError(f"{written!r} is no number{_with(unit)}")
    number, word = float(found["number"]), (found["unit"] or "").strip()
    if word and word not in unit.factors:
        raise ValueError(f"{written!r} has the unit {word!r}, which does not fit: {_such_as(unit, found['number'])}")
    if not word and needs_unit:
        raise ValueError(f"{written!r} has no unit: {_such_as(unit, found['number'])}")
    if unit is SHARE and not word and number >= 1:
        raise ValueError(f"{written!r} has no %: write {found['number']} % (all are 100 %)")
    value = round(number * unit.factors.get(word, 1.0), _MOST_DIGITS)
    if not 0 <= value <= unit.highest or not math.isfinite(value):
        raise ValueError(f"{written!r} is not possible: {_range(unit)}")
    return value


def _with(unit: Unit) -> str:
    return f" with a unit ({', '.join(unit.factors)})" if unit.factors else ""


def _such_as(unit: Unit, number: str) -> str:
    if not unit.factors:
        return f"write {number} alone"
    others = f" (units: {', '.join(unit.factors)})" if len(unit.factors) > 1 else ""
    return f"write such as {number} {unit.shown}{others}"


def _range(unit: Unit) -> str:
    if math.isinf(unit.highest):
        return "give a number of at least 0"
    return f"give one from 0 to {unit.write(unit.highest)}"
