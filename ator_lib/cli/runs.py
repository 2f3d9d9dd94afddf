"""Runs in the registry: register, complete, cancel, update, delete, status, summary."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, Registration, Store, attributes_of, confirm, say
from ator_lib.cli.output import describe_run, print_json, print_table, rows_of, run_answer
from ator_lib.cli.queue import QUEUE_COLUMNS, QUEUE_IF_WIDE
from ator_lib.cli.waiting import Waiting, new_location_teller
from ator_lib.errors import UsageError

RunId = Annotated[int, typer.Argument(help="The run's id.", metavar="RUN_ID")]

STATUS_COLUMNS = (
    *("run_id", "status", "test", "stream", "location", "factor", "start_time"),
    *("users", "throughput_rps", "p95_ms", "error_rate"),
)
LOCATION_COLUMNS = ("name", "status", "capacity", "taken", "free", "running", "queued")
SUMMARY_COLUMNS = (
    *("scope", "method", "name", "requests", "failures", "error_rate", "throughput_rps"),
    *("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "precision"),
)


def register(
    store: Store,
    registration: Registration,
    waiting: Waiting,
    lease: Annotated[
        float | None, typer.Option(help="Seconds that the place is held; without it until completed.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag of the run, to find it by; repeatable.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Text of your own, such as a CI job's id: the same again gives the same run.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Register a run that something else executes, if its location has room."""
    workspace = store.open()
    tell_if_new = new_location_teller(workspace)
    run = workspace.register(
        **registration.as_arguments(),
        **waiting.as_arguments(workspace),
        lease=lease,
        tags=tuple(tag or ()),
        idempotency_key=idempotency_key,
    )
    tell_if_new(run.record)
    if json:
        print_json(run_answer(run))
        return
    typer.echo(run.run_id)
    todo = "" if run.status.is_final else f"; complete it with: ator complete {run.run_id} success"
    say(describe_run(run) + todo)


def complete(
    store: Store,
    run_id: RunId,
    status: Annotated[str, typer.Argument(help="success, failure or cancelled.")],
    reason: Annotated[str | None, typer.Option(help="Why, in a word or two.")] = None,
    json: JsonOption = False,
) -> None:
    """Give a running run its final status, which frees its factor."""
    run = store.open().complete(run_id, status, reason=reason)
    print_json(run_answer(run)) if json else say(describe_run(run))


def cancel(store: Store, run_id: RunId, json: JsonOption = False) -> None:
    """Cancel a run; one that is being executed is asked to stop."""
    run = store.open().cancel(run_id)
    if json:
        print_json(run_answer(run))
    elif run.status.is_final:
        say(describe_run(run))
    else:
        say(f"run {run_id} was asked to stop: it is cancelled once its results are kept")


def update(
    store: Store,
    run_id: RunId,
    dashboard_url: Annotated[str | None, typer.Option(help="Link to a dashboard elsewhere.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="key=value to keep with the run; repeatable.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag to add; repeatable.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Tag to take off; repeatable.")] = None,
    json: JsonOption = False,
) -> None:
    """Change what is kept with a run: its link, attributes and tags; ended runs take them, too."""
    if dashboard_url is None and not attribute and not tag and not untag:
        raise UsageError("nothing to change: give --dashboard-url, --attribute, --tag or --untag")
    run = store.open().update(
        run_id,
        dashboard_url=dashboard_url,
        attributes=attributes_of(attribute),
        add_tags=tag or (),
        remove_tags=untag or (),
    )
    if json:
        print_json(run_answer(run) | {name: getattr(run.record, name) for name in ("tags", "dashboard_url")})
    else:
        tags = f": its tags are {', '.join(run.record.tags) or 'none'}" if tag or untag else ""
        say(f"run {run_id} is changed{tags}")


def delete(
    store: Store,
    run_ids: Annotated[list[int], typer.Argument(help="The runs' ids.", metavar="RUN_ID...")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Forget runs that have ended, with their results and files."""
    workspace = store.open()
    runs = [workspace.get(run_id) for run_id in dict.fromkeys(run_ids)]
    if not yes:
        listed = "".join(f"\n  {describe_run(run)}" for run in runs)
        confirm(f"To be deleted, with all results:{listed}\nDelete?", otherwise="nothing was deleted")
    for run in runs:
        workspace.delete(run)
        say(f"deleted run {run.run_id} and its results")
    if json:
        print_json({"deleted": [run.run_id for run in runs]})


def status(store: Store, json: JsonOption = False) -> None:
    """Show what runs, how full the locations are, and who waits."""
    workspace = store.open()
    rows = rows_of(workspace.running())
    if json:
        print_json(rows)
        return
    stale = [row["run_id"] for row in rows if row["stale"]]
    marked = [{**row, "status": "stale"} if row["stale"] else row for row in rows]
    print_table(marked, STATUS_COLUMNS, empty="nothing is running", if_wide=("stream", "factor"))
    typer.echo()
    places = rows_of(workspace.locations.list())
    print_table(places, LOCATION_COLUMNS, empty="no locations yet: the first run makes its own")
    waiting = rows_of(workspace.queue())
    if waiting:
        typer.echo()
        print_table(waiting, QUEUE_COLUMNS, empty="", if_wide=QUEUE_IF_WIDE)
    for run_id in stale:
        say(f"run {run_id} has run for more than a day without a lease: if it has ended, complete or cancel it")


def summary(store: Store, run_id: RunId, json: JsonOption = False) -> None:
    """Show the figures of a run, per endpoint and in total."""
    rows = rows_of(store.open_here().get(run_id).summary())
    print_json(rows) if json else print_summary(rows)


def print_summary(rows: list[dict[str, Any]]) -> None:
    """Print the SUMMARIES rows of a run, or of files that may become one."""
    print_table(rows, SUMMARY_COLUMNS, empty="no requests", if_wide=("p50_ms", "mean_ms", "precision"))
