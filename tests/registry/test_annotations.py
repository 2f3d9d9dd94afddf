"""Marks on runs, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.model import RunRequest
from ator_lib.registry.annotations import Annotations
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import write


@pytest.fixture
def marks(engine: Engine) -> Annotations:
    return Annotations(engine)


@pytest.fixture
def run_id(engine: Engine) -> int:
    """Return a run that has ended."""
    registry = Registry(engine)
    run = registry.register(RunRequest(test="checkout"))
    return registry.complete(run.run_id, "success").run_id


def test_marks_are_kept_as_they_were_set(marks: Annotations, run_id: int) -> None:
    """The oldest first, with who made them and when."""
    first = marks.add(run_id, "new server", created_by="ada")
    second = marks.add(run_id, "odd", resets=False, metric="p95_ms", name="/a")
    assert marks.list() == [first, second]
    assert (first.text, first.resets, first.metric, first.name, first.created_by) == (
        "new server",
        True,
        None,
        None,
        "ada",
    )
    assert (second.resets, second.metric, second.name) == (False, "p95_ms", "/a")
    assert first.created_at.tzinfo is not None


def test_a_mark_is_removed_by_its_id(marks: Annotations, run_id: int) -> None:
    """The run stays, and the id is not another mark's later."""
    gone = marks.add(run_id, "new server")
    assert marks.remove(gone.annotation_id) == gone
    assert marks.list() == []
    with pytest.raises(NotFoundError, match=f"no mark {gone.annotation_id}: `ator annotation list`"):
        marks.remove(gone.annotation_id)
    assert marks.add(run_id, "again").annotation_id != gone.annotation_id


@pytest.mark.parametrize("text", ["", " \n", None, "\0", "x" * 10_001, 7])
def test_a_mark_says_something_that_can_be_kept(marks: Annotations, run_id: int, text: Any) -> None:
    """Else nothing is kept."""
    with pytest.raises(UsageError):
        marks.add(run_id, text)
    assert marks.list() == []


def test_only_a_run_that_there_is_can_be_marked(marks: Annotations) -> None:
    """Its id is looked up."""
    with pytest.raises(NotFoundError):
        marks.add(4711, "new server")


def test_a_marked_run_is_not_deleted(marks: Annotations, engine: Engine, run_id: int) -> None:
    """As a pinned one is not: the message names the marks."""
    first, second = marks.add(run_id, "a"), marks.add(run_id, "b", resets=False)
    ids = f"{first.annotation_id}, {second.annotation_id}"
    with pytest.raises(ConflictError, match=f"run {run_id} has the marks {ids}: remove them first"), write(engine) as c:
        Registry(engine).remove(run_id, connection=c)
    marks.remove(first.annotation_id)
    marks.remove(second.annotation_id)
    with write(engine) as connection:
        Registry(engine).remove(run_id, connection=connection)
