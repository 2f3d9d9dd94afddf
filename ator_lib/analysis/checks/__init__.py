"""May these runs be compared at all? Each check is a row with its figures."""

from ator_lib.analysis.checks.check import Check, run_names
from ator_lib.analysis.checks.load_model import is_closed, is_open
from ator_lib.analysis.checks.run import run_checks

__all__ = ["Check", "is_closed", "is_open", "run_checks", "run_names"]
