"""What is wrong with a disk or a file, in words."""

from __future__ import annotations

from ator_lib.readers.sources import FULL
from ator_lib.results import duck


def reason(error: Exception) -> str:
    """Say in a line what is wrong with a disk or a file."""
    if is_full(error):
        return "the disk is full, free some space"
    if isinstance(error, duck.DuckError):
        return duck.first_line(error)
    return str(error).partition("\n")[0] or type(error).__name__


def is_full(error: Exception) -> bool:
    """Whether there is no room left; Arrow and DuckDB say so in the system's words and seldom with its number."""
    words = str(error).lower()
    says_so = "no space left" in words or any(f"[errno {code}]" in words for code in FULL)
    return says_so or getattr(error, "errno", None) in FULL
