"""``ator compare``: say whether a run got worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.cli.options import JsonOption, ReportOption, Store, pairs, say, tell
from ator_lib.cli.output import print_json, print_table
from ator_lib.errors import ExitCode, NoBaselineError, UsageError
from ator_lib.written import change, interval

if TYPE_CHECKING:
    from ator_lib.workspace.comparison import Comparison
    from ator_lib.workspace.explanation import Explanation

VERDICT_EXIT = {"regressed": ExitCode.FAILED, "not comparable": ExitCode.NO_VERDICT}

COLUMNS = ("endpoint", "metric", "baseline", "contender", "change", "interval", "verdict")
IF_WIDE = ("interval",)

Runs = Annotated[list[str], typer.Argument(help="Run by id or pinned name; several are one side.", metavar="RUN")]

BASELINE_HELP = (
    "Run by id or pinned name, repeatable; or a search: previous, last-success, previous:5, stream=main,last=5."
)
BaselineOption = Annotated[list[str] | None, typer.Option(help=f"{BASELINE_HELP} Default: previous.", metavar="RUN")]
AllowNoBaseline = Annotated[
    bool, typer.Option("--allow-no-baseline", help="Nothing to compare with is exit code 0, such as on a first run.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Not enough evidence is exit code 4, too.")]


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """How a comparison decides."""

    minimum_effect: Annotated[
        list[str] | None,
        typer.Option(help="METRIC=0.1 or 'METRIC of ENDPOINT=0.1': the smallest change that matters; repeatable."),
    ] = None
    waive: Annotated[list[str] | None, typer.Option(help="Name of a check that may fail; repeatable.")] = None
    map: Annotated[
        list[str] | None,
        typer.Option(help="'GET /v1/a -> GET /v2/a': an endpoint of the baseline has another name now; repeatable."),
    ] = None
    warm_up: Annotated[
        str | None, typer.Option(help="Seconds of the beginning to leave out, or auto (found in the data; default).")
    ] = None
    false_discovery_rate: Annotated[
        float | None, typer.Option(help="Expected share of false alarms among alarms (default 0.02).")
    ] = None

    def as_arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``Workspace.compare``; what is not given is left to it."""
        effects = pairs(self.minimum_effect, "--minimum-effect", at_last=True)
        mapping = pairs(self.map, "--map", "->")
        given = {
            "minimum_effect": {name: _number(f"--minimum-effect {name}", text) for name, text in effects.items()},
            "waive": tuple(self.waive or ()),
            "mapping": {theirs.strip(): ours.strip() for theirs, ours in mapping.items()},
            "warm_up": self.warm_up if self.warm_up in (None, "auto") else _number("--warm-up", self.warm_up),
            "false_discovery_rate": self.false_discovery_rate,
        }
        return {name: value for name, value in given.items() if value not in (None, {}, ())}


def _number(name: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise UsageError(f"{name} is {text!r}, which is no number") from None


def compare(
    store: Store,
    contender: Runs,
    options: ComparisonOptions,
    baseline: BaselineOption = None,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Compare each run with the baseline, not all as one side.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say what moved the total, too.")] = False,
    report: ReportOption = None,
    strict: StrictOption = False,
    allow_no_baseline: AllowNoBaseline = False,
    json: JsonOption = False,
) -> int:
    """Say whether a run got worse than others, and where."""
    from ator_lib.workspace.reporting import check_place

    if report is not None:
        check_place(report)
    workspace, runs = store.open_here(), [run_of(text) for text in contender]
    arguments = options.as_arguments()
    try:
        if side_by_side:
            return _side_by_side(
                workspace.side_by_side(runs, baseline_of(baseline), **arguments), strict=strict, json=json
            )
        comparison = workspace.compare(runs, baseline_of(baseline), **arguments)
    except NoBaselineError as error:
        if not allow_no_baseline:
            raise
        print_json({"verdict": None, "rows": [], "message": str(error)}) if json else say(str(error))
        return ExitCode.OK
    _show(comparison, explain=explain, json=json)
    if report is not None:
        say(f"report: {workspace.report(comparison, report)}")
    return exit_of(comparison.verdict, strict=strict)


def _show(comparison: Comparison, *, explain: bool, json: bool) -> None:
    answer = comparison.to_dict()
    if json:
        print_json({**answer, "explanation": comparison.explain().to_dict()} if explain else answer)
        return
    print_table(map(_printed, answer["rows"]), COLUMNS, empty="no endpoints", if_wide=IF_WIDE)
    for check in answer["checks"]:
        if check["ok"] is False:
            waived = " (waived)" if check["waived"] else ""
            tell(f"check {check['name']}{waived}: {check['message']}")
    for note in answer["notes"]:
        tell(f"note: {note}")
    if explain:
        _show_explanation(comparison.explain())
    tell(comparison.headline)


def _printed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is judged, and its interval, in percent, or points of the error rate."""
    from ator_lib.figures.rows import label_of  # loads numpy and pyarrow: not for --help

    unit = "points" if row["interval_of"] == "difference" else "%"
    is_bounded = row["low"] is not None and row["high"] is not None
    return {
        **row,
        "endpoint": label_of(row),
        "change": None if row["effect"] is None else change(row["effect"], unit=unit),
        "interval": interval(row["low"], row["high"]) if is_bounded else None,
    }


EXPLAINED = ("kind", "part", "own", "mix", "contribution", "share")
MOST_EXPLAINED = 15


def _show_explanation(explanation: Explanation) -> None:
    """Show what moved the mean most; JSON and a report have the rest."""
    rows = explanation.to_dict()["rows"]
    of_the_mean = [row for row in rows if row["measure"] == "mean_ms" and row["kind"] != "endpoint phase"]
    print_table(of_the_mean[:MOST_EXPLAINED], EXPLAINED, empty="nothing that moved can be told")
    for note in explanation.notes:
        tell(f"note: {note}")
    tell(explanation.headline)


def _side_by_side(answer: Any, *, strict: bool, json: bool) -> int:
    if json:
        print_json(answer.to_dict())
    else:
        for run_id, headline in answer.headlines.items():
            tell(f"run {run_id}: {headline}")
    exits = {exit_of(verdict, strict=strict) for verdict in answer.verdicts.values()}
    return next((code for code in (ExitCode.FAILED, ExitCode.NO_VERDICT) if code in exits), ExitCode.OK)


def exit_of(verdict: str, *, strict: bool) -> ExitCode:
    """Give the exit code of a comparison's verdict."""
    if strict and verdict == "not enough evidence":
        return ExitCode.NO_VERDICT
    return VERDICT_EXIT.get(verdict, ExitCode.OK)


def run_of(text: str) -> int | str:
    """Tell a run's id from a baseline's name, which is never a number."""
    return int(text) if text.isdecimal() else text


def baseline_of(texts: list[str] | None) -> Any:
    """Read ``--baseline`` as ``Workspace.compare`` takes it.

    Raises
    ------
    UsageError
        A search beside other runs, or one that cannot be read.
    """
    if not texts:
        return "previous"
    if len(texts) == 1:
        text = texts[0]
        return _search(text) if "=" in text else run_of(text)
    from ator_lib.workspace.baselines import search_of

    for text in texts:
        if "=" in text or search_of(text) is not None:
            raise UsageError(f"--baseline {text} is a search and stands alone: give it once, or name runs")
    return [run_of(text) for text in texts]


def _search(text: str) -> dict[str, Any]:
    search: dict[str, Any] = dict(pairs(text.split(","), "--baseline"))
    if "last" in search:
        if not search["last"].isdecimal():
            raise UsageError(f"--baseline {text}: last={search['last']} is no number of runs")
        search["last"] = int(search["last"])
    return search
