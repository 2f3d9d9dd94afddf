"""How Python looks for garbage in a process that holds many pages."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

COLLECTED_EVERY = (50_000, 5, 4)
"""New objects, and younger looks, until the next look at each generation: all are looked at once in about a hundred
pages. Python's own figures make that several looks a page, each of which holds up everybody."""


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Look for garbage less often, and never again at what is there by now: modules, most of all objects."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_EVERY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
