"""What a run is compared with, found in the history.

A baseline is a run, several of them, a pinned name; or a search for earlier runs like the contender:

- ``"previous"``: the last one that ended; ``"last-success"``: the last that succeeded;
- ``"previous:5"``, ``"last-success:5"``: the last five;
- a mapping of the history's filters, with ``last``: ``{"stream": "main", "last": 5, "since": "2026-11-01"}``.

Alike are runs of the same test, stream, environment and location; a mapping may say otherwise, ``None`` being any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ator_lib.errors import NoBaselineError, UsageError
from ator_lib.model import Run, RunStatus
from ator_lib.registry.registry import Registry
from ator_lib.registry.statements import ENDED
from ator_lib.results import index
from ator_lib.workspace.parts import Parts

Search = Mapping[str, Any]
"""Filters of the history, and ``last``: how many runs at most."""

_ALIKE = ("test", "stream", "environment", "location")

_STATUS = {
    "previous": ENDED,
    "last-success": (RunStatus.SUCCESS.value,),
}
_PAGE = 200


def search_of(baseline: Any) -> Search | None:
    """Read a baseline as a search; ``None`` if it names runs.

    Raises
    ------
    UsageError
        The number of runs is none.

    Examples
    --------
    >>> search_of("last-success:3")
    {'status': ('success',), 'last': 3}
    >>> search_of("release-7") is None
    True
    """
    if isinstance(baseline, Mapping):
        return {"status": ENDED, "last": 1, **baseline}
    word, colon, count = baseline.partition(":") if isinstance(baseline, str) else ("", "", "")
    if word not in _STATUS:
        return None
    if colon and not count.isdecimal():
        raise UsageError(f"the baseline {baseline!r} has no number of runs: write such as {word}:5")
    return {"status": _STATUS[word], "last": int(count) if colon else 1}


def found_by(parts: Parts, search: Search, contender: Sequence[Run]) -> list[Run]:
    """Return the runs of a search, the latest first, which began before all of the contender's.

    They have requests, or test cases if the contender has no requests.

    Raises
    ------
    NoBaselineError
        There is none.
    UsageError
        An unknown filter, a filter's value, or ``last`` is off.
    """
    last = search["last"]
    if type(last) is not int or last < 1:
        raise UsageError(f"a baseline of the last {last!r} runs is not possible: give a whole number from 1 on")
    first = min(contender, key=began)
    where = {name: value for name, value in search.items() if name != "last"}
    alike = {name: getattr(first, name) for name in _ALIKE if name not in where}
    has_requests = bool(index.with_requests(parts.engine, [first.run_id]))
    with_results = index.with_requests if has_requests else index.with_cases
    found: list[Run] = []
    for page in _pages(parts.registry, where | {k: v for k, v in alike.items() if v is not None}, first):
        earlier = [run for run in page if began(run) < began(first) and all(_is(run, k, v) for k, v in alike.items())]
        measured = with_results(parts.engine, [run.run_id for run in earlier])
        found += [run for run in earlier if run.run_id in measured]
        if len(found) >= last:
            break
    if not found:
        raise NoBaselineError(_nothing(first, search, alike, "requests" if has_requests else "test cases"))
    return found[:last]


def _pages(registry: Registry, where: Mapping[str, Any], first: Run) -> Iterator[Sequence[Run]]:
    is_timed = first.start_time is not None
    order = "-start_time" if is_timed else "-run_id"
    before = {"until": first.start_time} if is_timed and "until" not in where else {}
    cursor = None
    while True:
        page = registry.history({**where, **before}, limit=_PAGE, order=order, cursor=cursor)
        yield page.runs
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def began(run: Run) -> tuple[float, int]:
    """Order runs by their start, those of unknown start by their number before all others."""
    return (run.start_time.timestamp() if run.start_time else float("-inf"), run.run_id)


def _is(run: Run, field: str, value: str | None) -> bool:
    """Whether a run has that value; a filter of the history cannot ask for a missing one, and ignores case."""
    return bool(getattr(run, field) == value)


def _nothing(first: Run, search: Search, alike: Mapping[str, Any], results: str) -> str:
    asked = {**alike, **{name: value for name, value in search.items() if name != "last"}}
    words = ", ".join(f"{name} {_spoken(value)}" for name, value in asked.items())
    return (
        f"no run with {results} before run {first.run_id} has {words}: name a run, pin a baseline "
        f"(`ator baseline pin`), or search wider, such as {{'stream': 'main', 'last': 5}}"
    )


def _spoken(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " or ".join(map(str, value))
    return "unknown" if value is None else repr(value) if isinstance(value, str) else str(value)
