"""Markdown for pull requests: texts of strangers stay texts, and a table stays a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNSEEN = "&#8203;"
"""An invisible sign: @name is nobody's and #7 no issue's once it stands between."""

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>()~|!$&]")
_STARTS = re.compile(r"^([-+=#]+|\d+[.)])(?=\s|$)")
_REFERENCE = re.compile(r"(?<=[@#])(?=\w)|(?<=\w)(?=://)|\b(?<=www)(?=\.)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def text(words: object) -> str:
    r"""Write words as they are, on one line: no markup, no HTML, no mention, no link.

    Examples
    --------
    >>> print(text("GET /a|b `x` <img> @ada #7"))
    GET /a\|b \`x\` \<img\> @&#8203;ada #&#8203;7
    """
    line = _CONTROL.sub(" ", str(words)).strip()
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", line)
    guarded = _REFERENCE.sub(_UNSEEN, escaped)
    return _STARTS.sub(lambda found: f"{found[1][:-1]}\\{found[1][-1]}", guarded)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    r"""Write a table; missing cells (null) are empty.

    Examples
    --------
    >>> print(table(["gate", "outcome"], [["p95_ms < 300 ms", "passed"]]))
    | gate | outcome |
    | --- | --- |
    | p95\_ms \< 300 ms | passed |
    """
    head = [_row(columns), _row(["---"] * len(columns), is_markup=True)]
    return "\n".join([*head, *(_row(row) for row in rows)])


def _row(cells: Sequence[object], *, is_markup: bool = False) -> str:
    written = ["" if cell is None else str(cell) if is_markup else text(cell) for cell in cells]
    return f"| {' | '.join(written)} |"
