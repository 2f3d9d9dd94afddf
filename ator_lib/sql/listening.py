"""Waiting for capacity to be freed: told by PostgreSQL, looked for on SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

CHANNEL = "ator_freed"
"""The trigger of migration 0002 notifies it with the location's name."""

TOLD_S = 1.0
"""Longest wait where one is told: a notice that crossed with the entry into the queue is made up for so soon."""

LOOK_S = 0.25
"""Wait between looks where nobody tells."""


@contextmanager
def listening(engine: Engine, location: str) -> Iterator[Callable[[float], None]]:
    """Yield how to pause, so many seconds at most, until it is worth asking again for a place at the location.

    It holds a connection of its own to PostgreSQL. Without one (too many, or it breaks), it looks as on SQLite.
    """
    if engine.dialect.name == "sqlite":
        yield lambda longest_s: time.sleep(min(longest_s, LOOK_S))
        return
    listener = _listener(engine)
    try:
        yield lambda longest_s: _pause(listener, location, min(longest_s, TOLD_S))
    finally:
        if listener is not None:
            listener.close()


def _listener(engine: Engine) -> Any:
    """Open a connection that the pool does not see again, as it listens."""
    try:
        pooled = engine.raw_connection()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error):  # looking works without
        return None
    driver: Any = pooled.driver_connection  # asked first, as a detached one does not say
    pooled.detach()
    try:
        driver.rollback()
        driver.autocommit = True
        driver.execute(f"LISTEN {CHANNEL}")
    except driver.Error:
        driver.close()
        return None
    return driver


def _pause(listener: Any, location: str, longest_s: float) -> None:
    if listener is None or listener.closed:
        time.sleep(min(longest_s, LOOK_S))
        return
    end = time.monotonic() + longest_s
    try:
        while (left := end - time.monotonic()) > 0:
            if any(notice.payload == location[:1000] for notice in listener.notifies(timeout=left, stop_after=1)):
                return
    except listener.Error:  # the server went away: whoever asks next meets it, too
        time.sleep(max(0.0, min(end - time.monotonic(), LOOK_S)))
