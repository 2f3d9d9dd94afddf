"""Marks on runs: what people know of them, and the figures do not show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, insert, select

from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.model import Annotation
from ator_lib.registry import statements
from ator_lib.registry.checks import LONGEST_NAME, checked_id, checked_text
from ator_lib.registry.records import get_run
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import run_annotations as marks
from ator_lib.sql.types import Clock

_ALL = select(marks).order_by(marks.c.annotation_id)
_OF_RUN = select(marks.c.annotation_id).where(marks.c.run_id == bindparam("this_run"))


class Annotations:
    """Marks on runs; those that reset begin a new level in every trend that has the run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self) -> list[Annotation]:
        """Return all of them, the oldest first."""
        with read(self._engine) as connection:
            return [_annotation(row) for row in connection.execute(_ALL)]

    def add(
        self,
        run_id: int,
        text: str,
        *,
        resets: bool = True,
        metric: str | None = None,
        name: str | None = None,
        created_by: str | None = None,
    ) -> Annotation:
        """Mark a run.

        Raises
        ------
        NotFoundError
            There is no such run.
        UsageError
            The text is empty, or one of the texts cannot be kept.
        """
        kept = checked_text("a mark", text)
        if kept is None or not kept.strip():
            raise UsageError("a mark says something: give a text, such as 'new database server'")
        values: dict[str, Any] = {"text": kept, "resets": bool(resets), "created_by": created_by}
        for what, word in (("metric", metric), ("name", name)):
            values[what] = checked_text(f"the {what} of a mark", word, longest=LONGEST_NAME)
        with write(self._engine) as connection:
            run = get_run(connection, run_id, statements.GET_FOR_UPDATE)  # not deleted meanwhile
            added = insert(marks).values(run_id=run.run_id, created_at=Clock(), **values)
            return _annotation(connection.execute(added.returning(*marks.c)).one())

    def remove(self, annotation_id: int) -> Annotation:
        """Take a mark away; the run stays.

        Raises
        ------
        NotFoundError
            There is none of that id.
        """
        with write(self._engine) as connection:
            gone = delete(marks).where(marks.c.annotation_id == checked_id(annotation_id, "mark"))
            row = connection.execute(gone.returning(*marks.c)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no mark {annotation_id}: `ator annotation list` has them")
        return _annotation(row)


def require_unmarked(connection: Connection, run_id: int) -> None:
    """Keep a run that somebody marked: without it the levels of trends would begin elsewhere.

    Raises
    ------
    ConflictError
        It has marks.
    """
    found = connection.scalars(_OF_RUN, {"this_run": run_id}).all()
    if found:
        told = f"mark{'s' * (len(found) > 1)} {', '.join(map(str, found))}"
        raise ConflictError(f"run {run_id} has the {told}: remove {'them' if len(found) > 1 else 'it'} first")


def _annotation(row: Row[Any]) -> Annotation:
    return Annotation(**row._mapping)
