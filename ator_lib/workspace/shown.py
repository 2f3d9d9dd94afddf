"""DataFrames that are good to look at in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pandas as pd

Draw = Callable[[Sequence[Mapping[str, Any]]], str]


class ShownFrame(pd.DataFrame):
    """A DataFrame that shows itself as a table made for its columns; all that is made of it is a plain one."""

    _metadata: ClassVar[list[str]] = ["_shown"]

    _shown: tuple[Draw, tuple[str, ...]]
    """How it is drawn, and the columns that this needs."""

    def _repr_html_(self) -> str:
        draw, needs = self._shown
        if needs and set(needs) <= set(self.columns):
            return draw(records(self))
        return str(pd.DataFrame(self)._repr_html_())  # type: ignore[operator]  # the stubs leave it out


def shown_frame(rows: Sequence[Mapping[str, Any]] | pd.DataFrame, draw: Draw) -> ShownFrame:
    """Make a DataFrame of records; ``draw`` makes HTML of them, wherever the columns are still there."""
    frame = ShownFrame(rows)
    frame._shown = (draw, tuple(frame.columns))
    return frame


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as Python's own values; what is missing is null."""
    whole: pd.DataFrame = frame.astype(object)
    rows = whole.where(whole.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
