"""``ator demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ator_lib.cli.options import Store


def demo(
    store: Store,
    report: Annotated[Path | None, typer.Option(help="Where the report goes; default: the data folder.")] = None,
) -> None:
    """Run a small real load test twice, compare, report: everything in under a minute."""
    from ator_lib.demo.scenario import run_demo

    workspace = store.open_here()
    run_demo(workspace, report=report or workspace.data / "demo-report.html", say=typer.echo)
