"""Rows of Locust's CSV files: found by the names of their columns, which its versions spell differently."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source

LARGEST_COUNT = 2**53
"""Whole numbers below it are exact in every tool that may have touched the file."""

TOTALS = ("Aggregated", "Total")
"""Names of the row of all requests, the second one in Locust before 0.13."""

_LONGEST_LINE = 2**20
_NOISE = re.compile(r"\(ms\)|\(bytes\)|response time|^total |#|count")
_PERCENTILE = re.compile(r"(\d+(?:\.\d+)?)%?")
_SAME = {"request": "requests", "failure": "failures", "type": "method", "requests failed/s": "failures/s"}
_ABSENT = ("", "N/A", "None")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: its cells by the common names of their columns (``requests``, ``average``, ``99.9%`` …)."""

    line: int
    cells: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the requests are called."""
        return self.word("name")

    @property
    def method(self) -> str | None:
        """The HTTP method or another type of request."""
        method = self.word("method")
        return None if method in _ABSENT else method

    @property
    def is_total(self) -> bool:
        """Whether it is the row of all requests."""
        return self.method is None and self.name in TOTALS

    @property
    def text(self) -> str:
        """All of it, to be shown."""
        return ",".join(self.cells.values())

    def word(self, column: str) -> str:
        """Read a cell that must be there.

        Raises
        ------
        ValueError
            There is no such column.
        """
        if column not in self.cells:
            raise ValueError(f"there is no column {column}")
        return self.cells[column]

    def number(self, column: str) -> float | None:
        """Read a cell; null is a column that is not there, or ``N/A``.

        Raises
        ------
        ValueError
            It is no number, or none that Locust measures.
        """
        text = self.cells.get(column, "").strip()
        if text in _ABSENT:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < LARGEST_COUNT:
            raise ValueError(f"{column} {text[:40]!r} is nothing that Locust counts or measures")
        return value

    def count(self, column: str) -> int:
        """Read a whole number.

        Raises
        ------
        ValueError
            It is none.
        """
        value = self.number(column)
        if value is None or value != int(value):
            raise ValueError(f"{column} {self.cells.get(column, '')[:40]!r} is no whole number")
        return int(value)

    def measured(self, column: str) -> float | None:
        """Read a cell that Locust wrote with all its digits; null is one that an old version had rounded."""
        return self.number(column) if "." in self.cells.get(column, "") else None


def columns_of(line: str) -> list[str]:
    """Give the common names of the columns that a header names.

    Examples
    --------
    >>> columns_of('Type,Name,Request Count,"# failures",Average Response Time,Average (ms),99.9%')
    ['method', 'name', 'requests', 'failures', 'average', 'average', '99.9%']
    """
    try:
        names = next(csv.reader([line]), [])
    except csv.Error:
        return []
    return [_common(name) for name in names]


def rows(source: Source, findings: Findings, *, ended: bool = False) -> Iterator[Row]:
    """Yield the rows of a file; those of another number of columns are rejected, a last one cut short is left out.

    Parameters
    ----------
    ended
        Whether every line of such a file has an end, so that a last one without was cut short, whatever is in it.

    Raises
    ------
    ResultsError
        A line is too long for a table.
    """
    lines = _Lines(source)
    reader = csv.reader(lines)
    columns: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            findings.reject(source, line, str(error))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = [_common(name) for name in cells]
            continue
        findings.rows_read = (findings.rows_read or 0) + 1
        if lines.cut_short and (ended or len(cells) < len(columns)):
            findings.truncated = True
        elif len(cells) == len(columns):
            yield Row(line=line, cells=dict(zip(columns, cells, strict=True)))
        else:
            findings.reject(source, line, f"{len(cells)} columns instead of {len(columns)}", ",".join(cells))


class _Lines:
    """The lines of a file, one at a time, and whether the last one that was read has no end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.cut_short = False

    def __iter__(self) -> Iterator[str]:
        with self._source.path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                self.cut_short = not line.endswith(b"\n")
                if self.cut_short and len(line) == _LONGEST_LINE:
                    raise ResultsError(
                        f"{self._source.name} has a line of more than {_LONGEST_LINE} bytes: Locust writes none."
                    )
                text = line.decode("utf-8-sig", errors="replace").replace("\0", "\ufffd")
                yield text if self.cut_short else text.rstrip("\r\n") + "\n"  # Python on Windows ends lines twice


def _common(name: str) -> str:
    words = " ".join(_NOISE.sub("", name.strip().lower()).split())
    percentile = _PERCENTILE.fullmatch(words)
    return f"{percentile[1]}%" if percentile else _SAME.get(words, words)
