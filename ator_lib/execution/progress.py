"""Progress of a run for people: a bar on a terminal, one in a notebook, plain lines elsewhere."""

from __future__ import annotations

import html
import sys
import time
from dataclasses import replace
from typing import Any, Protocol, TextIO

from tqdm.std import tqdm

from ator_lib.model import Progress
from ator_lib.written import count, digits, measured, percent

LINE_EVERY_S = 5.0
"""Seconds between the plain lines of a CI log."""


class ProgressDisplay(Protocol):
    """Shows progress until it is closed."""

    def show(self, progress: Progress) -> None:
        """Show the latest progress."""

    def close(self) -> None:
        """Leave the display as it is and free the line."""


def display_for(label: str, total_s: float | None, stream: TextIO | None = None) -> ProgressDisplay:
    """Choose the display for where this runs; ``total_s`` null is an open end."""
    stream = stream or sys.stderr
    if _in_notebook():
        return NotebookDisplay(label, total_s)
    if stream.isatty():
        return BarDisplay(label, total_s, stream)
    return LinesDisplay(label, total_s, stream)


def describe(progress: Progress) -> str:
    """One line of figures; what was not measured is left out.

    Examples
    --------
    >>> describe(Progress(elapsed_s=8.0, users=5, requests=1200, failures=3, throughput_rps=151.7, p95_ms=83.42))
    '5 users, 1,200 requests, 152 rps, p95 83.4 ms, errors 0.25 %'
    """
    parts = [f"{count(progress.requests)} requests"]
    if progress.users is not None:
        parts.insert(0, f"{count(progress.users)} users")
    if progress.throughput_rps is not None:
        parts.append(f"{digits(progress.throughput_rps)} rps")
    if progress.p95_ms is not None:
        parts.append(f"p95 {measured('p95_ms', progress.p95_ms)}")
    if progress.error_rate is not None:
        parts.append(f"errors {percent(progress.error_rate)}")
    return ", ".join(parts)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")  # a kernel has it loaded; nobody else pays for the import
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class BarDisplay:
    """A tqdm bar over the planned seconds."""

    def __init__(self, label: str, total_s: float | None, stream: TextIO) -> None:
        form = (
            "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s{postfix}"
            if total_s
            else "{desc}: {n:.0f} s{postfix}"
        )
        self._total_s = total_s
        self._bar = tqdm(total=total_s, desc=label, file=stream, bar_format=form, dynamic_ncols=True)

    def show(self, progress: Progress) -> None:
        """Show the latest progress."""
        elapsed_s = progress.elapsed_s if self._total_s is None else min(progress.elapsed_s, self._total_s)
        self._bar.n = elapsed_s
        self._bar.set_postfix_str(describe(progress))

    def close(self) -> None:
        """Free the line."""
        self._bar.close()


class LinesDisplay:
    """A plain line every few seconds, for logs."""

    def __init__(self, label: str, total_s: float | None, stream: TextIO) -> None:
        self._label = label
        self._of = f"/{total_s:.0f}" if total_s else ""
        self._stream = stream
        self._next_at = time.monotonic() + LINE_EVERY_S

    def show(self, progress: Progress) -> None:
        """Show the latest progress."""
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + LINE_EVERY_S
        self._stream.write(f"{self._label}: {progress.elapsed_s:.0f}{self._of} s, {describe(progress)}\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: lines stay."""


class NotebookDisplay:
    """An HTML progress element, updated in place; needs no widget extension."""

    def __init__(self, label: str, total_s: float | None) -> None:
        import IPython.display  # there is a kernel, so it is loaded already

        self._label = label
        self._total_s = total_s
        show: Any = IPython.display.display
        self._handle = show({"text/plain": f"{label}: starting"}, display_id=True, raw=True)
        self._last: Progress | None = None

    def show(self, progress: Progress) -> None:
        """Show the latest progress."""
        self._last = progress
        share = (
            f' value="{min(progress.elapsed_s, self._total_s):.1f}" max="{self._total_s:g}"' if self._total_s else ""
        )
        self._update(progress, f"<progress{share}></progress> ")

    def close(self) -> None:
        """Leave one line without a bar: it stays in the notebook and in its report."""
        if self._last is not None:
            self._update(replace(self._last, users=None), "ended after ")

    def _update(self, progress: Progress, state: str) -> None:
        text = f"{progress.elapsed_s:.0f} s, {describe(progress)}"
        shown = {
            "text/plain": f"{self._label}: {text}",
            "text/html": f"<div>{html.escape(self._label)} {state}{html.escape(text)}</div>",
        }
        self._handle.update(shown, raw=True)
