"""What a reader gives: one file or folder of a tool as canonical tables."""

from __future__ import annotations

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
        Who made the data; the version is ``None`` when it does not say.
    precision
        How exact durations are: ``schema.EXACT``, ``2 significant digits`` …
    truncated
        The data ends before its writer ended; what is there is whole.
    """

    samples: pa.RecordBatchReader
    metrics: pa.Table
    tool: str
    tool_version: str | None
    precision: str
    truncated: bool


class Reader(Protocol):
    """Turns one tool's files into canonical tables."""

    format: ClassVar[str]
    """Its name in ``readers.formats``."""

    def read(self, path: Path) -> Reading:
        """Read ``path``.

        Raises
        ------
        ResultsError
            There is nothing there, it is another format, or a newer version of it.
        """
        ...
