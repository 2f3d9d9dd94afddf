"""Results of any tool: ingest, and the formats that are known."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.cli.options import InfluxOptions, JsonOption, Registration, Store, say
from ator_lib.cli.output import describe_run, print_json, print_table, rows_of, run_answer
from ator_lib.cli.runs import print_summary
from ator_lib.errors import UsageError

if TYPE_CHECKING:
    from ator_lib.workspace.preview import Preview
    from ator_lib.workspace.run import RunHandle

FORMAT_COLUMNS = ("name", "tool", "files", "gives", "precision", "limits")


def ingest(
    store: Store,
    registration: Registration,
    influx: InfluxOptions,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders of one run.", metavar="FILE...", show_default=False)
    ] = None,
    run: Annotated[int | None, typer.Option("--run", help="The registered run that they are of.")] = None,
    format: Annotated[str | None, typer.Option(help="Format; see: ator formats. Without it the content tells.")] = None,
    map: Annotated[
        str | None, typer.Option(help="Columns of a table: duration_ms=latency:s,started_at=ts:ms,name=endpoint")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times that have none; default: UTC.")] = None,
    started_at: Annotated[str | None, typer.Option(help="When the run started, for files with offsets only.")] = None,
    max_rejected: Annotated[
        str | None, typer.Option(help="Rows that may be left out as unreadable, as a share: 0.01 or 1%.")
    ] = None,
    flux: Annotated[
        Path | None, typer.Option(help="In place of files: a file with a Flux query, to be asked of InfluxDB.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what would be read of the files, and keep nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Read result files of any tool: all of one run, or nothing of it."""
    from ator_lib.workspace.ingest import column_map

    if (flux is None) == (not files):
        raise UsageError("give the files of one run, or --flux with a query for InfluxDB")
    if preview and not files:
        raise UsageError("--preview looks into files: give them, and no --flux")
    reading: dict[str, Any] = {
        "columns": None if map is None else column_map(map),
        "timezone": timezone,
        "started_at": started_at,
        "max_rejected_rate": None if max_rejected is None else _share(max_rejected),
    }
    if preview:
        _print_preview(store.open_here().preview(files or [], format=format, **reading), json=json)
        return
    identity = {name: value for name, value in registration.as_arguments().items() if value}
    options = {"run": run, **reading, **identity}
    workspace = store.open()
    if flux is None:
        made = workspace.ingest(files or [], format=format, **options)
    else:
        made = workspace.ingest_flux(_query_in(flux), **influx.as_arguments(), **options)
    _print_ingested(made, json=json)


def _print_preview(preview: Preview, *, json: bool) -> None:
    if json:
        print_json(preview.to_dict())
        return
    for line in preview.report.lines():
        say(line)
    print_summary(rows_of(preview.summary))


def _print_ingested(made: RunHandle, *, json: bool) -> None:
    report = made.ingest_report()
    if json:
        print_json(run_answer(made) | {"ingest": None if report is None else report.to_json()})
        return
    typer.echo(made.run_id)
    say(describe_run(made))
    for line in report.lines() if report else []:
        say(f"  {line}")
    if report is not None and report.rows_rejected:
        say(f"  the rejected rows: ws.get({made.run_id}).rejected()")


def formats(_: Store, json: JsonOption = False) -> None:
    """List the result formats that can be read, with what comes of them."""
    from ator_lib import formats as known

    rows = [asdict(about) for about in known()]
    print_json(rows) if json else print_table(rows, FORMAT_COLUMNS, empty="no formats", if_wide=("limits", "gives"))


def _query_in(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--flux {file} cannot be read: {error}") from None


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise UsageError(f"--max-rejected {text!r} is no share such as 0.01 or 1%") from None
