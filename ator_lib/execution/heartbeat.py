"""A run's lease, kept alive from a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ator_lib.errors import AtorError, StoreError
from ator_lib.model import Progress, Run
from ator_lib.registry.either import AnyRegistry

MAX_BEAT_S = 2.0
"""A beat also carries progress out and stop requests in, so it is never slower than this."""


def _nothing(*_: object) -> None:
    return None


class Heartbeat:
    """Renews the lease of one run until it is told to stop, or the lease is lost.

    The thread does nothing but beat, so neither parsing nor a busy main thread starves it.
    A database that is away is asked again until the lease has run out; after that the run
    counts as lost, because others may have been admitted in its place. Any refusal counts so at
    once: also who has removed the run, or revoked the token, has left nothing to renew it with.

    Parameters
    ----------
    progress
        Asked on every beat for what to show of the run elsewhere.
    on_renewed
        Told the seconds that the lease is good for from now, after each renewal.
    on_stop_requested, on_lost
        Called once each, from the thread.
    """

    def __init__(
        self,
        registry: AnyRegistry,
        run: Run,
        lease_s: float,
        *,
        progress: Callable[[], Progress | None] = lambda: None,
        on_renewed: Callable[[float], None] = _nothing,
        on_stop_requested: Callable[[], None] = _nothing,
        on_lost: Callable[[], None] = _nothing,
    ) -> None:
        self._registry = registry
        self._run = run
        self._lease_s = lease_s
        self._progress = progress
        self._on_renewed = on_renewed
        self._on_stop_requested = on_stop_requested
        self._on_lost = on_lost
        self._ended = threading.Event()
        self._stop_seen = False
        self._good_until = time.monotonic() + lease_s
        self._thread = threading.Thread(target=self._beat, name=f"ator-heartbeat-{run.run_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_good(self) -> bool:
        """Whether the lease is still ours, by the last renewal that was answered."""
        return time.monotonic() < self._good_until

    def close(self) -> None:
        """Stop beating; the lease is left to its owner to complete."""
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        interval_s = min(self._lease_s / 3, MAX_BEAT_S)
        while not self._ended.wait(interval_s):
            if not self._renew():
                self._on_lost()
                return

    def _renew(self) -> bool:
        """One beat. Returns whether the lease is still ours."""
        asked_at = time.monotonic()
        lease_id = self._run.lease_id or ""
        try:
            run = self._registry.renew(self._run.run_id, lease_id, lease_s=self._lease_s, progress=self._progress())
        except StoreError:
            return self.is_good
        except AtorError:
            return False
        # Counted from before the question: the answer may have taken its time.
        self._good_until = asked_at + self._lease_s
        self._on_renewed(self._good_until - time.monotonic())
        if run.stop_requested_at is not None and not self._stop_seen:
            self._stop_seen = True
            self._on_stop_requested()
        return True
