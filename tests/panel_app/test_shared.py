from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from panel_app.shared import Shared, shared_of


def test_an_answer_is_made_once_for_all_who_ask_at_the_same_time() -> None:
    """The others wait for it."""
    together = Barrier(4)

    def ask(answers: Shared) -> Any:
        together.wait()
        return answers.get("a", object)

    answers = Shared(None, most=3)
    with ThreadPoolExecutor(4) as pool:
        found = {*pool.map(ask, [answers] * 4)}

    assert len(found) == 1


def test_only_the_last_few_answers_are_kept() -> None:
    """Those that were asked for last."""
    answers = Shared(None, most=2)
    made = [answers.get(name, partial(str, time)) for time, name in enumerate("abacab")]

    assert made == ["0", "1", "0", "3", "0", "5"]


def test_an_error_is_told_and_not_kept() -> None:
    """The next one who asks may have more luck."""
    answers = Shared(None, most=2)
    with pytest.raises(ZeroDivisionError):
        answers.get("a", lambda: 1 // 0)

    assert answers.get("a", lambda: 1) == 1


def test_workspaces_share_nothing() -> None:
    """A run of one is no run of the other."""
    one, other = object(), object()

    shared_of(one).get(1, lambda: "one")  # type: ignore[arg-type]  # any object is a workspace here

    assert shared_of(other).get(1, lambda: "other") == "other"  # type: ignore[arg-type]
    assert shared_of(one).get(1, lambda: "again") == "one"  # type: ignore[arg-type]
