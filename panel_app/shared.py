"""Answers that take a while, and that sessions share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any

import panel as pn

if TYPE_CHECKING:
    from ator_lib import Workspace


class Shared:
    """The last few answers by what was asked: each is made once, also when several ask for it at the same time."""

    def __init__(self, about: object, most: int) -> None:
        self._about = about  # as long as this is kept, no other object has its id
        self._most = most
        self._kept: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, asked: Hashable, make: Callable[[], Any]) -> Any:
        """Give the answer that is there, or make it; an error is told to all who wait, and not kept."""
        with self._lock:
            answer = self._kept.get(asked)
            is_new = answer is None
            if answer is None:
                answer = self._kept[asked] = Future()
            self._kept.move_to_end(asked)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if is_new:
            self._make(asked, answer, make)
        return answer.result()

    def _make(self, asked: Hashable, answer: Future[Any], make: Callable[[], Any]) -> None:
        try:
            answer.set_result(make())
        except BaseException as error:
            with self._lock:
                self._kept.pop(asked, None)
            answer.set_exception(error)


def shared_of(workspace: Workspace, kind: str = "results", most: int = 64) -> Shared:
    """Give the answers of a kind about a workspace, which all sessions of this process share; so many are kept."""
    answers: Shared = pn.state.cache.setdefault(f"{kind} of {id(workspace)}", Shared(workspace, most))
    return answers
