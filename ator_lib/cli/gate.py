"""``ator gate``: say whether a run may go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ator_lib.cli.compare import BASELINE_HELP, AllowNoBaseline, StrictOption, baseline_of
from ator_lib.cli.options import JsonOption, Store, tell
from ator_lib.cli.output import print_json, print_table
from ator_lib.cli.runs import RunId
from ator_lib.reports.files import write_whole

if TYPE_CHECKING:
    from ator_lib.workspace.gate import Gate

COLUMNS = ("outcome", "gate", "endpoint", "measured", "limit", "unit")


def gate(
    store: Store,
    run_id: RunId,
    gates: Annotated[Path, typer.Argument(help="The gate file.")] = Path("gates.yaml"),
    baseline: Annotated[
        list[str] | None, typer.Option(help=f"{BASELINE_HELP} Default: that of the file.", metavar="RUN")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML for CI, too.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a summary for a pull request, too.")] = None,
    strict: StrictOption = False,
    allow_no_baseline: AllowNoBaseline = False,
    json: JsonOption = False,
) -> int:
    """Say whether a run holds what a gate file asks for: exit code 0, 1 (failed) or 4 (no verdict)."""
    answer = store.open_here().gate(
        run_id,
        gates,
        baseline_of(baseline) if baseline else None,
        strict=strict,
        allow_no_baseline=allow_no_baseline,
    )
    for file, text in ((junit, answer.junit()), (markdown, answer.markdown())):
        if file is not None:
            write_whole(file, text)
    if json:
        print_json(answer.to_dict())
        return answer.exit_code
    _show(answer)
    return answer.exit_code


def _show(answer: Gate) -> None:
    print_table(answer.to_dict()["rows"], COLUMNS, empty="no gates", if_wide=("unit", "endpoint"))
    alike: dict[tuple[str, str], list[str]] = {}  # without a baseline, many gates say the same
    for row in answer.rows:
        if row.outcome != "passed":
            alike.setdefault((row.outcome, row.message), []).append(row.gate)
    for (outcome, message), gates in alike.items():
        tell(f"{outcome}: {'; '.join(gates)}: {message}")
    for note in answer.notes:
        tell(f"note: {note}")
    tell(answer.headline)
