"""DataFrames as rows for templates."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ator_lib.written import is_missing


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Make a dict of each row; whatever pandas calls missing is ``None``."""
    return [
        {str(name): None if is_missing(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
