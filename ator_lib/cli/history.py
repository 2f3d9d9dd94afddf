"""``ator history``: the runs that there were, searched by every field."""

from __future__ import annotations

import dataclasses
import json as json_module
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, Store, pairs, say
from ator_lib.cli.output import print_json, print_table, rows_of
from ator_lib.errors import UsageError

HISTORY_COLUMNS = (
    *("run_id", "status", "test", "stream", "location", "factor"),
    *("start_time", "duration", "status_reason", "tags"),
)

BEYOND_NUMBERS = 2**63
"""What is no number in the databases, NaN included, can only have been kept as text."""

IF_WIDE = ("factor", "location", "duration", "tags")

MOST_NUMBERS = 8
"""Each attribute that may be a number or text doubles the filters to try."""

PANEL = "Filters: what is given must all hold"


def _filter(text: str, flag: str | None = None) -> Any:
    flags = () if flag is None else (flag,)
    return typer.Option(*flags, help=text, rich_help_panel=PANEL)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a run must be to be shown; the names are those of ``Workspace.history``."""

    test: Annotated[list[str] | None, _filter("This test; % stands for anything. Repeatable: any of them.")] = None
    stream: Annotated[list[str] | None, _filter("This stream, in any case; likewise.")] = None
    repo: Annotated[list[str] | None, _filter("This repository; likewise.")] = None
    lac: Annotated[list[str] | None, _filter("This location application component; likewise.")] = None
    type: Annotated[list[str] | None, _filter("This kind of test; likewise.")] = None
    environment: Annotated[list[str] | None, _filter("This environment; likewise.")] = None
    triggered_by: Annotated[list[str] | None, _filter("Started by this; likewise.")] = None
    tool: Annotated[list[str] | None, _filter("Executed by this tool; likewise.")] = None
    location: Annotated[list[str] | None, _filter("At this location; likewise.")] = None
    status: Annotated[list[str] | None, _filter("In this status. Repeatable: any of them.")] = None
    status_reason: Annotated[list[str] | None, _filter("In its status for this reason; likewise.")] = None
    since: Annotated[str | None, _filter("Started at this time or later; UTC unless it has a zone.")] = None
    until: Annotated[str | None, _filter("Started before this time; UTC unless it has a zone.")] = None
    tag: Annotated[list[str] | None, _filter("Has this tag. Repeatable: all of them.")] = None
    attribute: Annotated[list[str] | None, _filter("Has this attribute, key=value. Repeatable: all of them.")] = None
    any_of: Annotated[
        list[str] | None,
        _filter('One of these filters holds, as JSON: \'{"test": "a", "tag": ["b"]}\'. Repeatable.', "--any"),
    ] = None

    def as_where(self) -> dict[str, Any]:
        """Keyword arguments of ``Workspace.history``; only what was given.

        Raises
        ------
        UsageError
            An attribute is not of the form key=value, too many are numbers, or a filter is no JSON object.
        """
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        special = {"attribute": None, "any_of": None}
        where = {name: value for name, value in (given | special).items() if value not in (None, [])}
        if self.any_of:
            where["any_of"] = [_parsed_filter(text) for text in self.any_of]
        readings = _readings(pairs(self.attribute, "--attribute"))
        if len(readings) == 1:
            return where | readings[0]
        besides = {"any_of": where["any_of"]} if self.any_of else {}
        return where | {"any_of": [besides | reading for reading in readings]}


def history(
    store: Store,
    filters: Filters,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many runs.")] = 20,
    order: Annotated[str, typer.Option(help="Column to order by; with - in front the highest first.")] = "-run_id",
    cursor: Annotated[str | None, typer.Option(help="The next page, as the page before named it.")] = None,
    json: JsonOption = False,
) -> None:
    """Show runs, newest first, that match all filters."""
    where = filters.as_where()
    frame = store.open().history(limit=limit, order=order, cursor=cursor, **where)
    rows = rows_of(frame)
    if json:
        print_json(rows)
    else:
        timed = [{**row, "duration": _duration(row["start_time"], row["end_time"])} for row in rows]
        empty = "no run matches" if where or cursor else "no runs yet: try `ator demo`"
        print_table(timed, HISTORY_COLUMNS, empty=empty, if_wide=IF_WIDE)
    if next_cursor := frame.attrs.get("next_cursor"):
        say(f"there are more: the same command with --cursor {next_cursor} shows the next page")


def _duration(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else end - start


def _parsed_filter(text: str) -> dict[str, Any]:
    try:
        parsed = json_module.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise UsageError(f'--any {text!r} is no filter: give a JSON object such as {{"test": "checkout"}}')
    return parsed


def _readings(attributes: dict[str, str]) -> list[dict[str, Any]]:
    """Give every filter that the attributes may mean: 7 and true were kept as such, or as text."""
    ways = [[(key, value) for value in _values(text)] for key, text in attributes.items()]
    if sum(len(readings) > 1 for readings in ways) > MOST_NUMBERS:
        raise UsageError(f"--attribute: more than {MOST_NUMBERS} numbers at once cannot be searched for; give fewer")
    return [{"attributes": dict(reading)} if reading else {} for reading in product(*ways)]


def _values(text: str) -> list[str | int | float]:
    try:
        parsed = json_module.loads(text)
    except (ValueError, RecursionError):
        return [text]
    return [parsed, text] if isinstance(parsed, int | float) and abs(parsed) < BEYOND_NUMBERS else [text]
