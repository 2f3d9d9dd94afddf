"""``ator run``: execute a tool; a command per runner."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ator_lib.cli.options import JsonOption, Registration, Store, command, pairs, say
from ator_lib.cli.output import describe_run, print_json, run_answer
from ator_lib.cli.waiting import Waiting, new_location_teller
from ator_lib.errors import ExitCode
from ator_lib.model import RunStatus, StatusReason

if TYPE_CHECKING:
    from ator_lib.workspace.run import RunHandle

runners = typer.Typer(no_args_is_help=True, help="Execute a tool as a run: admitted, captured, kept.")


@runners.command("locust")
@command
def locust(
    store: Store,
    registration: Registration,
    waiting: Waiting,
    locustfile: Annotated[Path, typer.Argument(help="The locustfile.")],
    host: Annotated[str | None, typer.Option(help="Base address of the target, http(s)://…")] = None,
    users: Annotated[int, typer.Option("--users", "-u", help="Users at the peak.")] = 1,
    spawn_rate: Annotated[float | None, typer.Option("--spawn-rate", "-r", help="Users started per second.")] = None,
    run_time: Annotated[str, typer.Option("--run-time", "-t", help="Such as 30s, 5m, 1h20m.")] = "1m",
    processes: Annotated[int, typer.Option(help="Load generating processes.")] = 1,
    user_class: Annotated[list[str] | None, typer.Option(help="Only this User class; repeatable.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only tasks with this tag; repeatable.")] = None,
    exclude_tag: Annotated[list[str] | None, typer.Option(help="No tasks with this tag; repeatable.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="name=value sent with every request; repeatable.")] = None,
    run_tag: Annotated[list[str] | None, typer.Option(help="Tag of the run, to find it by; repeatable.")] = None,
    json: JsonOption = False,
) -> int:
    """Execute a locustfile and keep every request."""
    from ator_lib.runners.locust import Locust

    runner = Locust(
        locustfile,
        host=host,
        users=users,
        spawn_rate=spawn_rate,
        run_time=run_time,
        processes=processes,
        user_classes=tuple(user_class or ()),
        tags=tuple(tag or ()),
        exclude_tags=tuple(exclude_tag or ()),
        headers=pairs(header, "--header"),
    )
    workspace = store.open_here()
    run = workspace.execute(
        runner,
        **registration.as_arguments(),
        **waiting.as_arguments(workspace),
        tags=tuple(run_tag or ()),
        on_started=new_location_teller(workspace),
    )
    _tell(run, json=json)
    return _exit_code(run.status, run.record.status_reason)


def _tell(run: RunHandle, *, json: bool) -> None:
    if json:
        print_json(run_answer(run))
        return
    typer.echo(run.run_id)
    say(describe_run(run))
    if run.has_results:
        say(f"see it with: ator summary {run.run_id}")


def _exit_code(status: RunStatus, reason: str | None) -> ExitCode:
    """Say to a CI job how the run ended."""
    if status is RunStatus.SUCCESS:
        return ExitCode.OK
    if status is RunStatus.CANCELLED:
        return ExitCode.INTERRUPTED
    broken = (StatusReason.TOOL_ERROR, StatusReason.CAPTURE_FAILED, StatusReason.INGEST_FAILED, StatusReason.EXCEPTION)
    if reason == StatusReason.BAD_INPUT:
        return ExitCode.USAGE
    return ExitCode.BROKEN if reason in broken else ExitCode.FAILED
