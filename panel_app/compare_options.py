"""How a comparison decides, as the address says it, and as ``ws.compare`` takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ator_lib import UsageError
from panel_app.metrics import COMPARED

SEPARATOR = ";"


def options_of(*, minimum_effect: str, warm_up: str, waive: Sequence[str], mapping: str) -> dict[str, Any]:
    """Make the options of ``ws.compare``; those that are as by default are left out.

    Parameters
    ----------
    minimum_effect
        A share for all relative metrics (``0.1``), or by metric: ``p95_ms=0.1; p95_ms of GET /search=0.2``.
    mapping
        ``GET /v1/a -> GET /v2/a``, several with a semicolon between them.

    Raises
    ------
    UsageError
        A text that cannot be read.

    Examples
    --------
    >>> options_of(minimum_effect="p95_ms=0.1", warm_up="5", waive=[], mapping="GET /a -> GET /b")
    {'minimum_effect': {'p95_ms': 0.1}, 'warm_up': 5.0, 'mapping': {'GET /a': 'GET /b'}}
    """
    given: dict[str, Any] = {
        "minimum_effect": dict(_effects(minimum_effect)),
        "warm_up": _number("warm_up", warm_up) if warm_up not in ("", "auto") else None,
        "waive": list(waive),
        "mapping": dict(_pairs("mapping", mapping, "->")),
    }
    return {name: value for name, value in given.items() if value not in (None, [], {})}


def _effects(text: str) -> Iterator[tuple[str, float]]:
    if text.strip() and "=" not in text:
        share = _number("minimum_effect", text)
        yield from ((metric, share) for metric in COMPARED if metric != "error_rate")  # that one is in points
        return
    for name, value in _pairs("minimum_effect", text, "="):
        yield name, _number(f"minimum_effect of {name}", value)


def _pairs(option: str, text: str, sign: str) -> Iterator[tuple[str, str]]:
    for part in filter(str.strip, text.split(SEPARATOR)):
        name, found, value = part.rpartition(sign)
        if not found:
            raise UsageError(f"{option} is {part.strip()[:100]!r}: write NAME {sign} VALUE")
        yield name.strip(), value.strip()


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{what} is {text.strip()[:100]!r}, which is no number") from None
