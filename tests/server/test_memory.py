from __future__ import annotations

import gc
import weakref

from ator_lib.server.memory import COLLECTED_EVERY, collected_seldom


class Knot:
    """Holds itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_looked_for_seldom_and_found() -> None:
    """What is new is freed as ever; afterwards everything is as it was."""
    before = gc.get_threshold()
    with collected_seldom():
        assert (gc.get_threshold(), gc.get_freeze_count() > 0) == (COLLECTED_EVERY, True)
        knot = weakref.ref(Knot())
        gc.collect()
        assert knot() is None

    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
