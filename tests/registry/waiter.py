"""``python -m tests.registry.waiter URL FACTOR LEASE_S``: waits in the queue of lab-1, and says what comes of it."""

from __future__ import annotations

import signal
import sys
from decimal import Decimal

from ator_lib.model import RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.registry.waiting import register_waiting
from ator_lib.sql.engine import open_engine


def say(words: object) -> None:
    """Say it at once."""
    print(words, flush=True)  # noqa: T201


def main(url: str, factor: str, lease_s: str) -> None:
    """Say the run's number at each look, and ``interrupted`` after SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    request = RunRequest(factor=Decimal(factor), location="lab-1", test="waiter")
    try:
        register_waiting(
            Registry(open_engine(url)),
            request,
            wait=True,
            queue_lease_s=float(lease_s),
            on_queued=lambda admission: say(admission.run.run_id),
        )
    except KeyboardInterrupt:
        say("interrupted")


if __name__ == "__main__":
    main(*sys.argv[1:])
