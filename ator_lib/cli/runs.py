"""Runs in the registry: register, complete, cancel, status, history, summary."""

from __future__ import annotations

from typing import Annotated

import typer

from ator_lib.cli.options import JsonOption, Registration, Store, say
from ator_lib.cli.output import describe_run, print_json, print_table, run_answer

RunId = Annotated[int, typer.Argument(help="The run's id.", metavar="RUN_ID")]

HISTORY_COLUMNS = (
    "run_id",
    "status",
    "test",
    "stream",
    "location",
    "factor",
    "start_time",
    "end_time",
    "status_reason",
)
STATUS_COLUMNS = (
    *("run_id", "test", "stream", "location", "factor", "start_time"),
    *("elapsed_s", "users", "throughput_rps", "p95_ms", "error_rate"),
)
SUMMARY_COLUMNS = (
    *("scope", "method", "name", "requests", "failures", "error_rate", "throughput_rps"),
    *("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "precision"),
)


def register(
    store: Store,
    registration: Registration,
    lease: Annotated[
        float | None, typer.Option(help="Seconds that the place is held; without it until completed.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Register a run that something else executes, if its location has room."""
    run = store.open().register(lease=lease, **registration.as_arguments())
    if json:
        print_json(run_answer(run))
    else:
        typer.echo(run.run_id)
        say(f"{describe_run(run)}; complete it with: ator complete {run.run_id} success")


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


def status(store: Store, json: JsonOption = False) -> None:
    """Show the running runs."""
    workspace = store.open()
    rows = workspace.running().to_dict("records")
    if json:
        print_json(rows)
        return
    print_table(rows, STATUS_COLUMNS, empty="nothing is running")
    print_table(
        workspace.locations.list().to_dict("records"),
        ("name", "status", "capacity", "taken", "free", "running", "queued"),
        empty="no locations yet: the first run makes its own",
    )


def history(
    store: Store,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many runs.")] = 20,
    test: Annotated[str | None, typer.Option(help="Only this test.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream; % stands for anything.")] = None,
    status: Annotated[str | None, typer.Option(help="Only this status.")] = None,
    location: Annotated[str | None, typer.Option(help="Only this location.")] = None,
    since: Annotated[str | None, typer.Option(help="Only runs started since; UTC unless it has a zone.")] = None,
    before_run_id: Annotated[int | None, typer.Option(help="The next page: runs older than this one.")] = None,
    json: JsonOption = False,
) -> None:
    """Show runs, newest first."""
    frame = store.open().history(
        limit=limit,
        test=test,
        stream=stream,
        status=status,
        location=location,
        since=since,
        before_run_id=before_run_id,
    )
    rows = frame.to_dict("records")
    filtered = any((test, stream, status, location, since, before_run_id))
    empty = "no run matches" if filtered else "no runs yet: try `ator demo`"
    print_json(rows) if json else print_table(rows, HISTORY_COLUMNS, empty=empty)


def summary(store: Store, run_id: RunId, json: JsonOption = False) -> None:
    """Show the figures of a run, per endpoint and in total."""
    rows = store.open().get(run_id).summary().to_dict("records")
    print_json(rows) if json else print_table(rows, SUMMARY_COLUMNS, empty="no requests")
