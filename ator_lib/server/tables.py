"""Runs as HTML tables: for people without the dashboard, readable without any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ator_lib.model import HistoryPage, Run, RunStatus

COLUMNS = (
    *("run_id", "status", "test", "stream", "location", "factor", "start_time", "end_time"),
    *("type", "environment", "repo", "lac", "triggered_by", "dashboard_url", "id"),
)
"""The published fields; what people look for stands first."""

_TIMES = frozenset({"start_time", "end_time"})

_FIELDS = (
    ("stream", "Stream", "text"),
    ("test", "Test", "text"),
    ("status", "Status", "choice"),
    ("location", "Location", "text"),
    ("type", "Type", "text"),
    ("environment", "Environment", "text"),
    ("repo", "Repository", "text"),
    ("lac", "LAC", "text"),
    ("triggered_by", "Triggered by", "text"),
    ("tag", "Tag", "text"),
    ("since", "Started since", "time"),
    ("until", "Started before", "time"),
)
"""Filters of the form: name, label and kind."""


def status_table(runs: Sequence[Run]) -> str:
    """Make the page of what is running now."""
    return _render(
        title="Running now",
        caption=f"{len(runs)} running, oldest first. Times are UTC.",
        nothing="Nothing is running.",
        runs=_rows(runs),
    )


def history_table(
    page: HistoryPage, *, path: str, filters: Sequence[tuple[str, str]], problem: str | None = None
) -> str:
    """Make a page of the history, with a form of its filters and a link to the next page.

    Parameters
    ----------
    path, filters
        What was asked: the address, and the names and values of its query.
    problem
        Why there is nothing to show: what was asked is off.
    """
    same = [(name, value) for name, value in filters if name not in ("cursor", "offset")]
    onwards = [*same, ("cursor", page.next_cursor or "")]
    return _render(
        title="History",
        caption=f"{len(page.runs)} runs{', and more' if page.next_cursor else ''}. Times are UTC.",
        nothing="No run matches.",
        runs=_rows(page.runs),
        fields=_FIELDS,
        filters=dict(filters),
        statuses=tuple(RunStatus),
        problem=problem,
        next_page=f"{path}?{urlencode(onwards, errors='replace')}" if page.next_cursor else None,
    )


def is_link(text: str) -> bool:
    r"""Whether a text is an address that a browser takes for HTTP, and nothing that it would run.

    Examples
    --------
    >>> is_link("HTTPS://example.org/d/1"), is_link("javascript:alert(1)"), is_link(" java\tscript:alert(1)")
    (True, False, False)
    """
    try:
        address = urlsplit(text)
        # browsers drop such characters from an address before they read it; urlsplit drops some others
        is_plain = text.isprintable() and " " not in text
        return is_plain and address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        return False


def _rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [vars(run) | {"stale": run.is_stale(now)} for run in runs]


def _render(**words: Any) -> str:
    nothing: Mapping[str, Any] = {"fields": (), "filters": {}, "problem": None, "next_page": None}
    page = _template().render({**nothing, **words, "columns": COLUMNS, "times": _TIMES})
    return page.encode(errors="replace").decode()  # half a character in a text that another program wrote


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ator_lib.server"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.tests["link"] = is_link
    return environment.get_template("runs.html")
