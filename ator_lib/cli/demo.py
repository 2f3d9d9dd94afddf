"""``ator demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ator_lib.cli.options import Store


def demo(
    store: Store,
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("ator-demo-report.html"),
) -> None:
    """Run a small real load test twice, compare, report: everything in under a minute."""
    from ator_lib.demo.scenario import run_demo

    run_demo(store.open(), report=report, say=typer.echo)
