"""One mutant is taken in: it becomes a run that keeps the rules, or is refused in one sentence, and nothing is left."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import ator_lib as ator
from ator_lib.errors import AtorError
from tests.fuzz.mutants import Mutant, mutant
from tests.fuzz.mutations import SECRET

LONGEST_S = 60.0
"""No input of these sizes takes longer, on whatever machine, unless it hangs."""

_LONGEST_MESSAGE = 2000
_CAUGHT_LATE = ("the samples cannot be read", "the results cannot be kept")  # whatever a reader stumbled over
_MISTAKES = (
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ArithmeticError,
    NameError,
    RecursionError,
    StopIteration,
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What was wrong, and with which seed it comes again."""

    seed: int
    story: str
    fault: str

    def __str__(self) -> str:
        return f"seed {self.seed} ({self.story}): {self.fault}"


def try_out(workspace: ator.Workspace, seed: int) -> Failure | None:
    """Take in the mutant of this seed, and say what is wrong with what came of it."""
    with TemporaryDirectory(dir=workspace.parts.data) as folder:
        made = mutant(seed, Path(folder))
        fault = _fault(workspace, made)
    return None if fault is None else Failure(seed=seed, story=made.story, fault=fault)


def _fault(workspace: ator.Workspace, made: Mutant) -> str | None:
    before, started = _state(workspace), time.monotonic()
    try:
        run = workspace.ingest(made.path, test=f"seed {made.seed}", format=made.format)
        fault = _fault_of_run(run)
        workspace.delete(run)
    except AtorError as error:
        fault = _fault_of_refusal(error, made)
    except Exception:
        fault = traceback.format_exc()
    if time.monotonic() - started > LONGEST_S:
        fault = f"it took {time.monotonic() - started:.0f} s"
    after = _state(workspace)
    return f"{before} became {after}" if fault is None and after != before else fault


def _state(workspace: ator.Workspace) -> tuple[int, list[str]]:
    """Say what is there: runs, and whatever lies in the store, hidden or not."""
    store = workspace.parts.data / "results"
    return len(workspace.history(limit=10)), sorted(path.name for path in store.iterdir()) if store.is_dir() else []


def _fault_of_run(run: ator.RunHandle) -> str | None:
    samples, summary, cases = run.samples(), run.summary(), run.cases()
    for table in (samples, summary, cases, run.errors(), run.rejected()):
        if SECRET in table.to_string():
            return "an external entity was read"
    if (samples.duration_ms < 0).any() or samples.duration_ms.isna().any() or (samples.weight < 1).any():
        return "samples break the rules"
    if (summary.failures > summary.requests).any():
        return "there are more failures than requests"
    report = run.ingest_report()
    if report is None or not report.rows_kept or report.rows_rejected > 0.01 * report.rows_read:
        return f"the report is off: {report}"
    return _fault_of_times(samples)


def _fault_of_times(samples: pd.DataFrame) -> str | None:
    naive = samples.started_at.dt.tz is None
    return "times have no zone" if naive else None


def _fault_of_refusal(error: AtorError, made: Mutant) -> str | None:
    said = str(error)
    if made.path.name not in said:
        return f"it does not name the file: {said}"
    if len(said) > _LONGEST_MESSAGE:
        return f"it says {len(said)} characters: {said[:200]}"
    if any(words in said for words in _CAUGHT_LATE) and any(isinstance(cause, _MISTAKES) for cause in _causes(error)):
        return "".join(traceback.format_exception(error))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
