"""While the server runs, runs that have ended are judged, so that pages find their verdicts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from ator_lib.errors import AtorError

JUDGE_EVERY_S = 10.0
"""Seconds between looks for runs that have ended."""

_log = logging.getLogger(__name__)


def while_judging(
    judge: Callable[[], int], every_s: float = JUDGE_EVERY_S
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Make the lifespan of an application in which ``judge`` is called whenever there may be something to judge.

    Parameters
    ----------
    judge
        Judges little, so that the server can end soon, and says how many it judged; called off the event loop.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        judging = asyncio.create_task(_judge_on(judge, every_s))
        try:
            yield
        finally:
            judging.cancel()
            with suppress(asyncio.CancelledError):
                await judging

    return lifespan


async def _judge_on(judge: Callable[[], int], every_s: float) -> None:
    """Go on whatever happens; an outage is told once, and so is the next one."""
    told: set[type[Exception]] = set()
    while True:
        try:
            while await run_in_threadpool(judge):
                pass
            told.clear()
        except Exception as error:
            if type(error) not in told:
                told.add(type(error))
                is_surprise = not isinstance(error, AtorError)
                _log.warning("runs that have ended cannot be judged now: %s", error, exc_info=is_surprise)
        await asyncio.sleep(every_s)
