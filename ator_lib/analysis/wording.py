"""Words that answers share: counts, lists of names, and what somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from ator_lib.written import signed

_MOST_MEANT = 3
_MOST_CHANGE = 10.0
"""A longer figure says nothing more: nobody needs statistics to see such a change."""


def short(value: float) -> str:
    """Write a number to three digits, but all before the point, and no zeros at the end.

    Examples
    --------
    >>> short(0.01234), short(10.0), short(1234.5)
    ('0.0123', '10', '1,234')
    """
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def size(change: float, *, unit: str = "%") -> str:
    """Write how large a change is that could be seen: a share of 1, without a sign.

    Examples
    --------
    >>> size(0.0523), size(2.5), size(3200), size(0.004, unit="points")
    ('5.2 %', '250 %', 'more than 1,000 %', '0.4 points')
    """
    words = f"{signed(min(change, _MOST_CHANGE)).removeprefix('+')} {unit}"
    return f"more than {words}" if change > _MOST_CHANGE else words


def plural(count: int, one: str, many: str | None = None) -> str:
    """Count things.

    Examples
    --------
    >>> plural(1, "run"), plural(1200, "run"), plural(2, "series", "series")
    ('1 run', '1,200 runs', '2 series')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def listed(names: Iterable[object], most: int, *, sign: str = ", ") -> str:
    """List names; of many the first.

    Examples
    --------
    >>> listed(["a", "b"], most=3), listed("abcde", most=3)
    ('a, b', 'a, b, c and 2 more')
    """
    words = [str(name) for name in names]
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return sign.join(words[:most]) + more


def near(word: str, known: Iterable[str], *, otherwise: Sequence[str] | None = None, most: int = 25) -> str:
    """Go on after a wrong word: with the known ones that may be meant, or else with which there are.

    Parameters
    ----------
    otherwise
        What is listed if none may be meant; by default all that are known.
    most
        Of these, how many are named.

    Examples
    --------
    >>> near("chekout", ["checkout", "search"]), near("x", ["checkout", "search"]), near("x", [])
    (": did you mean 'checkout'?", ': there are checkout, search', '')
    """
    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in reversed(names)}
    asked = word.casefold()
    close = [folded[match] for match in get_close_matches(asked, folded, n=_MOST_MEANT, cutoff=0.6)]
    close = close or [name for name in names if asked and asked in name.casefold()][:_MOST_MEANT]
    if close:
        return f": did you mean {' or '.join(map(repr, close))}?"
    there = names if otherwise is None else otherwise
    return f": there are {listed(there, most)}" if there else ""
