"""``ator export``: everything that is kept, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ator_lib.cli.options import InfluxOptions, JsonOption, Store, say
from ator_lib.cli.output import print_json


def export(
    store: Store,
    influx: InfluxOptions,
    target: Annotated[Path, typer.Argument(help="A file like out.duckdb, a folder, or with --influx a run.")],
    run: Annotated[
        list[str] | None, typer.Option("--run", help="Only this run, by id or baseline. Repeatable.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="duckdb, parquet or csv; default: by the name.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    json: JsonOption = False,
) -> None:
    """Write runs with all that is kept of them: a DuckDB file, Parquet or CSV files, or points in InfluxDB."""
    if influx.influx is not None:
        _to_influx(store, influx, [str(target), *(run or [])], json=json)
        return
    runs = [_named(name) for name in run] if run else None
    written = store.open_here().export(target, runs, format, overwrite=overwrite)
    if json:
        print_json({"path": str(written)})
    else:
        say(f"exported to {written}")


def _to_influx(store: Store, influx: InfluxOptions, runs: list[str], *, json: bool) -> None:
    workspace = store.open()
    points = {name: workspace.export_influx(_named(name), **influx.as_arguments()) for name in runs}
    if json:
        print_json({"points": points})
        return
    for name, number in points.items():
        say(f"run {name} is {number} points in InfluxDB at {influx.influx}")


def _named(run: str) -> int | str:
    return int(run) if run.isdecimal() else run
