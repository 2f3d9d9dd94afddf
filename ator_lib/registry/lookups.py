"""Short questions to the history: many runs by their ids, and what texts there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, select

from ator_lib.model import Run
from ator_lib.registry.history import MOST_IDS, texts_query
from ator_lib.registry.records import run_of
from ator_lib.registry.statements import RUN, runs
from ator_lib.sql.engine import read


def runs_by_id(engine: Engine, run_ids: Sequence[int]) -> dict[int, Run]:
    """Return these runs as they are now; those that are not there any more are left out."""
    found: dict[int, Run] = {}
    with read(engine) as connection:
        for start in range(0, len(run_ids), MOST_IDS):
            some = select(*RUN).where(runs.run_id.in_(run_ids[start : start + MOST_IDS]))
            found |= {row.run_id: run_of(row) for row in connection.execute(some)}
    return found


def texts_of(engine: Engine, name: str, where: Mapping[str, Any]) -> list[str]:
    """Return the values that a text of the runs has (``history.TEXTS``), in order; ``where`` is a history's filter."""
    with read(engine) as connection:
        return sorted(connection.scalars(texts_query(name, where)))
