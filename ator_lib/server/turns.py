"""What takes seconds and a process of its own is done one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MOST_WAITING = 8
"""So many wait for their turn; whoever comes then is told to come again."""


class Turns:
    """Lets one through at a time."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._one = asyncio.Lock()
        self._most = most_waiting + 1
        self._inside = 0

    @property
    def are_taken(self) -> bool:
        """Whether nobody more may wait."""
        return self._inside >= self._most

    @asynccontextmanager
    async def wait(self) -> AsyncIterator[None]:
        """Wait until it is one's turn."""
        self._inside += 1
        try:
            async with self._one:
                yield
        finally:
            self._inside -= 1
