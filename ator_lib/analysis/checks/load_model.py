"""Open load, whose requests wait for nobody, or closed, where each waits for the answer to the one before it."""

from __future__ import annotations

from collections.abc import Iterable

from ator_lib.analysis.run_data import RunData

_BY_TOOL = {
    **dict.fromkeys(("ab", "autocannon", "hey", "jmeter", "locust", "newman", "siege", "wrk"), "closed"),
    **dict.fromkeys(("vegeta", "wrk2"), "open"),
}
"""What these tools make unless somebody goes out of their way; k6, Gatling, Artillery and oha make both."""


def load_model(run: RunData) -> str | None:
    """Return ``open`` or ``closed`` as planned, else as the tool is known for; ``None`` where neither is known."""
    if run.load_profile is not None:
        return run.load_profile.model
    return _BY_TOOL.get(run.tool or "")


def is_open(runs: Iterable[RunData]) -> bool:
    """Whether all runs had an open load model, where throughput is planned and not an outcome."""
    return all(load_model(run) == "open" for run in runs)


def is_closed(runs: Iterable[RunData]) -> bool:
    """Whether all runs had a closed load model, where the number of users is planned and not an outcome."""
    return all(load_model(run) == "closed" for run in runs)
