"""What a reader gives: one file or folder of a tool as canonical tables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a tool left behind, in canonical form. Nothing is read from disk before it is asked for.

    Parameters
    ----------
    samples
        Rows of ``schema.SAMPLES``, in no particular order. Can be consumed once.
    metrics
        Rows of ``schema.METRICS``.
    tool, tool_version
        Who made the data; ``None`` when it does not say.
    precision
        How exact durations are: ``schema.EXACT``, ``2 significant digits`` …
    truncated
        The data ends before its writer ended; what is there is whole.
    notes
        What was taken for granted, in sentences for people: a zone of times without one …
    """

    samples: pa.RecordBatchReader
    metrics: pa.Table
    tool: str | None
    tool_version: str | None
    precision: str
    truncated: bool
    notes: tuple[str, ...] = ()


class Reader(Protocol):
    """Turns one tool's files into canonical tables."""

    format: ClassVar[str]
    """Its name in ``readers.formats``."""

    def recognises(self, path: Path) -> bool:
        """Say by its content, and quickly, whether ``path`` is of this format; whole or damaged does not matter.

        Raises
        ------
        OSError
            It cannot be looked at.
        """
        ...

    def read(self, path: Path) -> Reading:
        """Read ``path``.

        Raises
        ------
        ResultsError
            There is nothing there, it is another format, or a newer version of it.
        """
        ...


def named(path: Path) -> str:
    """Show a path in a message; names of files need not be Unicode."""
    return os.fsencode(path).decode(errors="replace")
