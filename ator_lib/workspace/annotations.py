"""Marks on runs, as users set and see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import pandas as pd

from ator_lib.analysis.trend.query import check_metric
from ator_lib.model import Annotation
from ator_lib.registry.annotations import Annotations
from ator_lib.workspace.base import user_name
from ator_lib.workspace.parts import Parts


class AnnotationTable:
    """What people said of runs. Shows itself in a notebook."""

    def __init__(self, parts: Parts) -> None:
        self._annotations = Annotations(parts.engine)

    def list(self) -> pd.DataFrame:
        """List annotation_id, run_id, text, resets, metric, name, who made it and when; the oldest first."""
        return annotations_frame(self._annotations.list())

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
        """Mark a run; see ``Workspace.annotate``. Without ``created_by`` it is who works here that says so."""
        if metric is not None:
            check_metric(metric)
        who = created_by or user_name()
        return self._annotations.add(run_id, text, resets=resets, metric=metric, name=name, created_by=who)

    def remove(self, annotation_id: int) -> Annotation:
        """Take a mark away, by its id; the run stays."""
        return self._annotations.remove(annotation_id)

    def _repr_html_(self) -> str:
        return self.list().to_html(index=False)


def annotations_frame(annotations: Iterable[Annotation]) -> pd.DataFrame:
    """Give a row per mark; the columns are there without a row, too."""
    columns = [field.name for field in fields(Annotation)]
    frame = pd.DataFrame([vars(one) for one in annotations], columns=columns)
    frame["created_at"] = pd.to_datetime(frame["created_at"], utc=True)
    return frame
