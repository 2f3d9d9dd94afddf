"""Reading runs for a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ator_lib.analysis.options import CompareOptions
    from ator_lib.analysis.run_data import RunData
    from ator_lib.workspace.run import RunHandle


def load(
    contender: Sequence[RunHandle], baseline: Sequence[RunHandle], options: CompareOptions
) -> tuple[list[RunData], list[RunData]]:
    """Read what the analysis needs of every run."""
    return [run.comparable() for run in contender], [run.comparable() for run in baseline]
