"""Waiting for a place: the options, and what the one who waits is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.cli.options import say
from ator_lib.cli.output import rows_of, short_time
from ator_lib.errors import StoreUnavailableError, UsageError
from ator_lib.registry.checks import LONGEST_LEASE_S

if TYPE_CHECKING:
    from ator_lib.model import Admission, Holder, Run
    from ator_lib.workspace.base import BaseWorkspace

FOREVER = "forever"

_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Whether a run waits for its place, and before whom."""

    wait: Annotated[
        str | None,
        typer.Option(help="Wait in the queue for room: so many seconds, or forever.", metavar="SECONDS|forever"),
    ] = None
    priority: Annotated[
        int | None, typer.Option(help="In the queue the higher one goes first, then who came first.")
    ] = None

    def as_arguments(self, workspace: BaseWorkspace[Any]) -> dict[str, Any]:
        """Keyword arguments of ``Workspace.register`` and ``Workspace.execute``."""
        return {
            "wait": wait_of(self.wait),
            "priority": self.priority,
            "on_queued": QueueTeller(workspace).tell,
        }


def wait_of(text: str | None) -> float | bool | None:
    """Read ``--wait``.

    Raises
    ------
    UsageError
        It is neither a possible number of seconds nor ``forever``.
    """
    if text is None:
        return None
    if text == FOREVER:
        return True
    try:
        seconds = float(text)
    except ValueError:
        seconds = nan
    if not 0 <= seconds <= LONGEST_LEASE_S:
        raise UsageError(f"--wait {text!r} is not possible: give seconds, such as 600 (up to a year), or {FOREVER}")
    return seconds


class QueueTeller:
    """Says where a run stands in its queue: on entering it, and again when that has changed."""

    def __init__(self, workspace: BaseWorkspace[Any]) -> None:
        self._workspace = workspace
        self._told: object = None

    def tell(self, admission: Admission) -> None:
        """Take the answer to one look; most of them have nothing new."""
        refusal = admission.refusal
        state = refusal and (refusal.holders, refusal.ahead, refusal.limit, refusal.status)
        if refusal is None or state == self._told:
            return
        run = admission.run
        try:
            places = rows_of(self._workspace.queue(run.location))
        except StoreUnavailableError:  # the place is kept; the next look may do
            return
        self._told = state
        mine = next((place for place in places if place["run_id"] == run.run_id), None)
        if mine is not None:  # else it may start by now
            names = _names({holder.run_id: holder for holder in (*refusal.holders, *refusal.ahead)}, mine["waits_for"])
            say(
                f"run {run.run_id} waits at {run.location}, position {mine['position']} of {len(places)}{names}; "
                f"{estimate_of(mine)}"
            )


def new_location_teller(workspace: BaseWorkspace[Any]) -> Callable[[Run], None]:
    """Look which locations there are; what is returned says whether a run made one, perhaps by a slip of the pen."""
    known = set(workspace.locations.list()["name"])

    def tell(run: Run) -> None:
        if run.location not in known:
            say(f"location {run.location!r} is new, with capacity 1")

    return tell


def estimate_of(place: dict[Any, Any]) -> str:
    """Say when a row of the queue should start, and from what that is known."""
    start = short_time(place["estimated_start"])
    return (
        f"estimated start {start} ({place['estimate_note']})" if start else f"start unknown: {place['estimate_note']}"
    )


def _names(holders: dict[int, Holder], run_ids: Iterable[int]) -> str:
    """Name the first of those who are waited for."""
    ahead = list(run_ids)
    named = [f"run {run_id}" + _in_brackets(holders.get(run_id)) for run_id in ahead[:_NAMED]]
    more = [f"{len(ahead) - _NAMED} more"] if len(ahead) > _NAMED else []
    return f", behind {', '.join(named + more)}" if ahead else ""


def _in_brackets(holder: Holder | None) -> str:
    return f" ({holder.test})" if holder is not None and holder.test else ""
