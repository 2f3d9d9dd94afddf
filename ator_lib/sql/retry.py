"""Asking again while the database is away: only what may be done twice with the effect of once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ator_lib.errors import StoreUnavailableError

PATIENCE_S = 3.0
"""A restart of the database takes about so long; who waits longer wants to be told."""

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def persistently(action: Callable[[bool], Answer], what: str, done: str, *, for_s: float = PATIENCE_S) -> Answer:
    """Do something, again and again while the database cannot be reached.

    Parameters
    ----------
    action
        Transactions of its own. Told whether an earlier attempt may have been committed without the answer.
    what, done
        For the error: "run 7", "completed".
    for_s
        Seconds after which no further attempt is begun.

    Raises
    ------
    StoreUnavailableError
        The database stayed away; the message says whether it was done, or that nobody knows.
    """
    end = time.monotonic() + for_s
    pause_s = _FIRST_PAUSE_S
    in_doubt = False
    while True:
        try:
            return action(in_doubt)
        except StoreUnavailableError as error:
            in_doubt = in_doubt or error.in_doubt
            if time.monotonic() + pause_s > end:
                state = f"whether {what} was {done} is not known" if in_doubt else f"{what} was not {done}"
                hint = ". `ator history` shows it once the database is back" if in_doubt else ""
                raise StoreUnavailableError(f"{state}: {error}{hint}", in_doubt=in_doubt) from error
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def persistent(done: str) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Make a method that takes a run id first, and whose answer stays the same, ask persistently.

    In the caller's own transaction (``connection=``) it is done once: only the whole could be repeated.
    """

    def decorated(method: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(method)
        def repeated(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            if kwargs.get("connection") is not None:
                return method(*args, **kwargs)
            run_id = kwargs["run_id"] if "run_id" in kwargs else args[1]
            return persistently(lambda _: method(*args, **kwargs), f"run {run_id}", done)

        return repeated

    return decorated
