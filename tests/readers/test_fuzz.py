"""Some hundreds of damaged files; ``make fuzz`` has thousands, and says how to make one again."""

from __future__ import annotations

import pytest

import ator_lib as ator
from tests.fuzz.trial import try_out

MUTANTS = 200
AT_ONCE = 25


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """A workspace in which nothing may stay."""
    return ator.connect(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("first", range(0, MUTANTS, AT_ONCE))
def test_damaged_results_are_taken_in_or_refused(workspace: ator.Workspace, first: int) -> None:
    """No error but ours, no hang, no run and no file of a set after a refusal."""
    found = [try_out(workspace, seed) for seed in range(first, first + AT_ONCE)]
    assert not (failures := [str(failure) for failure in found if failure]), "\n".join(failures)
