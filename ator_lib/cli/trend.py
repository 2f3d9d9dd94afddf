"""``ator trend`` and the marks on runs: since when is it like that, and what is known of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, ReportOption, Store, command, say, tell
from ator_lib.cli.output import print_json, print_table, rows_of
from ator_lib.cli.runs import RunId
from ator_lib.written import change, interval

if TYPE_CHECKING:
    from ator_lib.workspace.trend import Trend

CHANGE_COLUMNS = (
    *("series", "run_id", "started_at", "before", "after", "change", "interval"),
    *("verdict", "kind", "what", "text"),
)
IF_WIDE = ("text", "interval", "kind")
MARK_COLUMNS = ("annotation_id", "run_id", "text", "resets", "metric", "name", "created_by", "created_at")


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """Which runs a trend follows; the names are those of ``Workspace.trend``."""

    stream: Annotated[
        list[str] | None, typer.Option(help="Runs of this stream; % stands for anything. Repeatable.")
    ] = None
    environment: Annotated[list[str] | None, typer.Option(help="Runs of this environment; likewise.")] = None
    location: Annotated[list[str] | None, typer.Option(help="Runs at this location; likewise.")] = None
    since: Annotated[str | None, typer.Option(help="Started at this time or later; UTC unless it has a zone.")] = None
    until: Annotated[str | None, typer.Option(help="Started before this time; likewise.")] = None
    last: Annotated[int | None, typer.Option(min=1, help="Only so many runs, the latest.")] = None

    def as_arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``Workspace.trend``; only what was given."""
        return {name: value for name, value in vars(self).items() if value not in (None, [])}


def trend(
    store: Store,
    test: Annotated[str, typer.Argument(help="Name of the test; % stands for anything.")],
    chosen: HistoryOptions,
    metric: Annotated[str, typer.Option(help="A figure of the summaries, such as p99_ms or error_rate.")] = "p95_ms",
    by: Annotated[
        str, typer.Option(help="A series per endpoint (name), one (total), or one per value of a column or attribute.")
    ] = "name",
    minimum_effect: Annotated[
        float | None, typer.Option(help="Smallest change of a level that matters: 0.05 is 5 %.")
    ] = None,
    report: ReportOption = None,
    json: JsonOption = False,
) -> None:
    """Show where the level of a metric changed over a test's history, and what differs there."""
    from ator_lib.workspace.reporting import check_place

    if report is not None:
        check_place(report)
    workspace = store.open_here()
    found = workspace.trend(test, metric, by, minimum_effect=minimum_effect, **chosen.as_arguments())
    print_json(found.to_dict()) if json else _show(found)
    if report is not None:
        say(f"report: {workspace.report(found, report)}")


def _show(found: Trend) -> None:
    rows = [_printed(row, found.parameters["metric"]) for row in rows_of(found.changes)]
    if rows:
        print_table(rows, CHANGE_COLUMNS, empty="", if_wide=IF_WIDE)
    for note in found.notes:
        tell(f"note: {note}")
    tell(found.headline)


def _printed(row: dict[str, Any], metric: str) -> dict[str, Any]:
    """Give changes and intervals in percent; of an error rate both are in points."""
    is_rate = metric == "error_rate"
    size = change(row["after"] - row["before"], unit="points") if is_rate else change(row["change"])
    return {**row, "change": size, "interval": interval(row["low"], row["high"])}


def annotate(
    store: Store,
    run_id: RunId,
    text: Annotated[str, typer.Argument(help="What is known of it, such as 'new database server'.")],
    remark: Annotated[
        bool, typer.Option("--remark", help="Only a remark: the level goes on. Without it a new one begins here.")
    ] = False,
    metric: Annotated[str | None, typer.Option(help="It is about this metric alone.")] = None,
    name: Annotated[str | None, typer.Option(help="It is about this endpoint alone.")] = None,
    json: JsonOption = False,
) -> None:
    """Mark a run, so that a trend takes the change of its level for what it is."""
    mark = store.open_here().annotate(run_id, text, resets=not remark, metric=metric, name=name)
    print_json(dataclasses.asdict(mark)) if json else say(
        f"mark {mark.annotation_id} on run {mark.run_id}: {mark.text}"
    )


annotations_app = typer.Typer(no_args_is_help=True, help="Marks on runs: what people know of them.")


@annotations_app.command("list")
@command
def list_annotations(store: Store, json: JsonOption = False) -> None:
    """Show all marks, the oldest first."""
    rows = rows_of(store.open_here().annotations.list())
    empty = "no marks yet: `ator annotate RUN_ID TEXT` makes one"
    print_json(rows) if json else print_table(rows, MARK_COLUMNS, empty=empty)


@annotations_app.command("remove")
@command
def remove_annotation(
    store: Store,
    annotation_id: Annotated[int, typer.Argument(help="The mark's id.", metavar="ANNOTATION_ID")],
    json: JsonOption = False,
) -> None:
    """Take a mark away; the run stays."""
    mark = store.open_here().annotations.remove(annotation_id)
    print_json(dataclasses.asdict(mark)) if json else say(f"mark {annotation_id} is gone; run {mark.run_id} stays")
