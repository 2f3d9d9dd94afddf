"""Where the pages are, and the addresses of their views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

OVERVIEW = "/overview"
RUNS = "/runs"
RUN = "/run"
COMPARE = "/compare"
TRENDS = "/trends"
UPLOAD = "/upload"


def address(path: str, **state: Any) -> str:
    """Write the address of a view; what is null or empty is left out, a list is several fields."""
    fields = [
        (name, str(one))
        for name, value in state.items()
        if value not in (None, "", [])
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return f"{path}?{urlencode(fields, errors='replace')}" if fields else path


def run_link(run_id: int) -> str:
    """Where the page of a run is."""
    return address(RUN, run_id=run_id)


def compare_link(contender: Sequence[int], baseline: Sequence[int] = (), *, each: bool = False) -> str:
    """Where runs are compared, together or each for itself; without a baseline with what their page finds."""
    return address(COMPARE, run=list(contender), baseline=list(baseline), each=1 if each else None)


def web_link(url: str | None) -> str | None:
    """Return the address if a browser may be sent there; no ``javascript:``."""
    return url if url and url.lower().startswith(("http://", "https://")) else None
