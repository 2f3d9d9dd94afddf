"""What every workspace offers, wherever its registry is: runs coming in, ending, waiting, being searched."""

from __future__ import annotations

import getpass
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar

import pandas as pd

from ator_lib.errors import UsageError
from ator_lib.model import TAGS, Admission, Run, RunRequest, RunStatus
from ator_lib.registry.admission import parse_factor
from ator_lib.registry.checks import checked_attributes, checked_tags
from ator_lib.registry.either import AnyBaselines, AnyLocations, AnyRegistry
from ator_lib.registry.waiting import register_waiting
from ator_lib.workspace.frames import page_frame, queue_frame, runs_frame
from ator_lib.workspace.handle import BaseHandle, id_of
from ator_lib.workspace.tables import BaselineTable, LocationTable

Handle = TypeVar("Handle", bound=BaseHandle)


class BaseWorkspace(ABC, Generic[Handle]):
    """The registry as users see it; handles are of the workspace's own kind."""

    def __init__(
        self, registry: AnyRegistry, locations: AnyLocations, baselines: AnyBaselines, *, lease_s: float
    ) -> None:
        self._registry = registry
        self._lease_s = lease_s
        self.locations = LocationTable(locations)
        """Places that tests share: ``list``, ``get``, ``add``, ``change``."""
        self.baselines = BaselineTable(baselines)
        """Runs that others are compared with, by name: ``list``, ``get``, ``pin``, ``remove``."""

    @abstractmethod
    def _handle(self, run: Run, *, lease_s: float | None = None) -> Handle:
        """Make a handle that holds the run's lease, if the record has one."""

    # --- coming in ---

    def register(
        self,
        *,
        test: str | None = None,
        stream: str | None = None,
        location: str | None = None,
        factor: str | float | Decimal | None = None,
        wait: float | bool | None = None,
        priority: int | None = None,
        lease: float | None = None,
        repo: str | None = None,
        lac: str | None = None,
        type: str | None = None,
        environment: str | None = None,
        triggered_by: str | None = None,
        dashboard_url: str | None = None,
        tags: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        on_queued: Callable[[Admission], None] | None = None,
    ) -> Handle:
        """Register a run that something else executes, if its location has room.

        Parameters
        ----------
        factor
            Share of the location; floats count by their decimal text, ``None`` as 0.
        wait
            Seconds to wait in the location's queue for room, or ``True`` for as long as it takes; ``None``: not at all.
        priority
            Place in the queue: the higher one goes first, then who came first. ``None`` counts as 0.
        lease
            Seconds that the run holds its place without a heartbeat; ``None``: until it is completed.
            In the ``with`` form the handle holds a lease in any case and renews it.
        idempotency_key
            Any text of yours, such as a CI job's id: the same one again gives the same run.
        on_queued
            Told at each look that the run still waits, with the reason.

        Raises
        ------
        CapacityError
            The location is full now, or was until the waiting was over; its ``refusal`` names sum, request,
            limit, holders and who waits ahead.
        RunCancelledError
            Somebody cancelled the run while it waited.
        NeverAdmissibleError, FactorError
            The factor could never be admitted, or is no number.
        ConflictError
            The idempotency key was used for another request.
        """
        request = run_request(
            test=test,
            stream=stream,
            location=location,
            factor=factor,
            priority=priority,
            repo=repo,
            lac=lac,
            type=type,
            environment=environment,
            triggered_by=triggered_by,
            dashboard_url=dashboard_url,
            tags=tags,
            attributes=attributes,
        )
        run = self._admitted(request, lease_s=lease, wait=wait, idempotency_key=idempotency_key, on_queued=on_queued)
        return self._handle(run, lease_s=lease)

    def _admitted(
        self,
        request: RunRequest,
        *,
        lease_s: float | None,
        wait: float | bool | None,
        idempotency_key: str | None = None,
        on_queued: Callable[[Admission], None] | None = None,
    ) -> Run:
        if wait is None or wait is False:
            return self._registry.register(request, lease_s=lease_s, idempotency_key=idempotency_key)
        return register_waiting(
            self._registry,
            request,
            wait=wait,
            queue_lease_s=self._lease_s,
            lease_s=lease_s,
            idempotency_key=idempotency_key,
            on_queued=on_queued or (lambda _: None),
        )

    # --- their lives ---

    def complete(self, run: int | BaseHandle, status: RunStatus | str, *, reason: str | None = None) -> Handle:
        """Give a running run its final status: success, failure or cancelled."""
        return self._foreign(self._registry.complete(id_of(run), status, reason=reason))._settled()

    def cancel(self, run: int | BaseHandle) -> Handle:
        """Cancel a run. One that is being executed is asked to stop, and stays running until it has."""
        return self._foreign(self._registry.cancel(id_of(run)))._settled()

    def get(self, run: int | BaseHandle) -> Handle:
        """One run by its id, as it is now; NotFoundError if there is none."""
        return self._foreign(self._registry.get(id_of(run)))

    def update(
        self,
        run: int | BaseHandle,
        *,
        dashboard_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> Handle:
        """Set a run's dashboard address, merge attributes into its own, change its tags; ended runs take them, too."""
        return self._foreign(
            self._registry.update(
                id_of(run),
                dashboard_url=dashboard_url,
                attributes=attributes,
                add_tags=add_tags,
                remove_tags=remove_tags,
            )
        )

    # --- looking ---

    def running(self) -> pd.DataFrame:
        """List running runs with what their heartbeats last said.

        ``stale`` ones run without a lease for more than a day: probably somebody forgot to complete them.
        """
        return runs_frame(self._registry.running())

    def queue(self, location: str | None = None) -> pd.DataFrame:
        """List who waits: position at its location, whom it waits for, and an estimated start.

        The estimate comes from the usual durations of the tests ahead; ``estimate_note`` says from which, or
        that there is no history.
        """
        return queue_frame(self._registry.queue(location))

    def history(
        self,
        *,
        limit: int = 100,
        order: str = "-run_id",
        cursor: str | None = None,
        offset: int = 0,
        figures: bool = False,
        **where: Any,
    ) -> pd.DataFrame:
        """List runs, newest first, that match all filters given.

        Parameters
        ----------
        limit, order
            At most so many; a column, with ``-`` in front the highest first.
        cursor, offset
            Where the page begins: after ``frame.attrs["next_cursor"]`` of the page before, or after so many runs.
        figures
            Add those of all requests: requests, failures, throughput_rps, error_rate, p50_ms, p95_ms, p99_ms. Runs can
            be ordered by them in any case.
        where
            ``test``, ``stream``, ``repo``, ``lac``, ``type``, ``environment``, ``triggered_by``, ``tool``,
            ``location``, ``status``, ``status_reason``: a text or a list of them; ``%`` stands for any text, in any
            case, and a stream always ignores case. ``run_id``: one, or a list. ``since``, ``until``: a time, UTC if
            it has no zone. ``tag``: one, or a list that must all be there. ``attributes``: names and values.
            ``factor``, ``duration_s`` and any of the figures: the least and the most, ``p95_ms=(500, None)``.
            ``any_of``: a list of such filters, one of which must hold.

        Examples
        --------
        >>> import ator_lib as ator
        >>> ws = ator.connect(tmp_path)
        >>> for stream in ("main", "main-hotfix", "feature"):
        ...     _ = ws.register(test="checkout", stream=stream, tags=["nightly"])
        >>> list(ws.history(stream="main%", tag="nightly").stream)
        ['main-hotfix', 'main']
        >>> list(ws.history(any_of=[{"stream": "feature"}, {"stream": "MAIN"}], order="run_id").run_id)
        [1, 3]
        """
        page = self._registry.history(where, limit=limit, order=order, cursor=cursor, offset=offset, figures=figures)
        return page_frame(page, figures=figures)

    def count(self, **where: Any) -> int:
        """Say how many runs match all filters given, which are those of ``history``."""
        return self._registry.count(where)

    def values(self, field: str, **where: Any) -> list[str]:
        """Give the different values of a text field of the runs that match, in order, at most 1,000.

        Examples
        --------
        >>> import ator_lib as ator
        >>> ws = ator.connect(tmp_path)
        >>> for stream in ("main", "feature", "main"):
        ...     _ = ws.register(test="checkout", stream=stream)
        >>> ws.values("stream", test="checkout"), ws.count(stream="main")
        (['feature', 'main'], 2)
        """
        return self._registry.values(field, where)

    # --- handles ---

    def _foreign(self, run: Run) -> Handle:
        """Make a handle on somebody else's run: its lease is not ours to show."""
        return self._handle(replace(run, lease_id=None))


def run_request(
    *,
    factor: str | float | Decimal | None = None,
    triggered_by: str | None = None,
    priority: int | None = None,
    tags: Sequence[str] = (),
    attributes: Mapping[str, Any] | None = None,
    **words: Any,
) -> RunRequest:
    """Make a request of what users may say of a run."""
    known = {field.name for field in fields(RunRequest)}
    if unknown := sorted(set(words) - known):
        raise UsageError(f"a run has no {', '.join(unknown)}: it has {', '.join(sorted(known))}")
    kept = checked_attributes(attributes or {})
    if tags:
        kept[TAGS] = checked_tags(tags)
    return RunRequest(
        factor=parse_factor(factor),
        triggered_by=triggered_by or user_name(),
        priority=priority,
        attributes=kept,
        **words,
    )


def user_name() -> str | None:
    """Say who is at work here; ``None`` where users have no names."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return None
