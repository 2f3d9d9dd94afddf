"""The parts that results show themselves with in a notebook and in a page made of it: tables, a banner, notes.

They need nothing but themselves, take their colours from JupyterLab or VS Code, light or dark (elsewhere they are
light), scroll in a box of their own where they are too wide or too long, and are whole on paper. Rows are whole pixels
high, as a cell that stays in sight would hide a part of the line below it otherwise.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ator_lib.analysis.verdicts import Verdict
from ator_lib.figures import theme
from ator_lib.written import cut, sentence

_LONGEST_NAME = 56
_MOST_ROWS = 400
"""Nobody reads more in a page, and a mailed report must not grow with them."""

_STYLE = """
.ator-shown {
  --ground: var(--jp-layout-color0, var(--vscode-editor-background, #fff));
  --ink: var(--jp-content-font-color0, var(--vscode-editor-foreground, #1f2933));
  --line: rgba(128, 128, 128, 0.45);
  margin: 0.6rem 0; color: var(--ink);
}
.ator-shown p, .ator-shown ul { max-width: 60rem; margin: 0.5rem 0; font-size: 0.8125rem; }
.ator-shown ul { padding-left: 1.2rem; }
.ator-banner {
  max-width: 60rem; margin: 0.6rem 0; padding: 0.6rem 1rem; border-left: 6px solid var(--mood);
  background: rgba(128, 128, 128, 0.12); overflow-wrap: anywhere;
}
.ator-banner b { display: block; font-size: 1.25rem; }
.ator-sign { color: var(--mood); }
.ator-rows { max-height: 30rem; width: fit-content; max-width: 100%; overflow: auto; }
.ator-rows table {
  margin: 0; border: 0; border-collapse: separate; border-spacing: 0;
  font-size: 14px; line-height: 20px; font-variant-numeric: tabular-nums;
}
.ator-rows tr > * {
  padding: 5px 11px; border: 0; border-bottom: 1px solid var(--line); color: var(--ink);
  background: var(--ground); text-align: right; vertical-align: top; white-space: nowrap; font-weight: 400;
}
.ator-rows tr > .ator-words { text-align: left; }
.ator-rows tr > .ator-fact { max-width: 14rem; text-align: left; white-space: normal; overflow-wrap: break-word; }
.ator-rows tr > .ator-text { min-width: 16rem; text-align: left; white-space: normal; }
.ator-rows tr > .ator-known { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.ator-rows tr > :first-child {
  position: sticky; left: 0; z-index: 1; min-width: 8rem; max-width: min(24rem, 45vw);
  text-align: left; white-space: normal; overflow-wrap: anywhere;
}
.ator-rows thead tr > *, .ator-rows tfoot tr > * { position: sticky; z-index: 2; font-weight: 600; }
.ator-rows thead tr > :first-child, .ator-rows tfoot tr > :first-child { z-index: 3; }
.ator-rows thead tr > * {
  top: 0; min-width: 5.5rem; border-bottom: 2px solid var(--line); vertical-align: bottom; white-space: normal;
}
.ator-rows tfoot tr > * { bottom: 0; border-top: 2px solid var(--line); border-bottom: 0; }
.ator-rows tr > .ator-tinted {
  font-weight: 700;
  background: linear-gradient(rgba(213, 94, 0, 0.2), rgba(213, 94, 0, 0.2)), var(--ground);
}
.ator-rows tr > .ator-bar {
  background: linear-gradient(to right, rgba(0, 114, 178, 0.28) var(--share), transparent 0), var(--ground);
}
@media print {
  .ator-rows { max-height: none; overflow: visible; }
  .ator-rows table { font-size: 10px; line-height: 14px; }
  .ator-rows tr > *, .ator-rows tr > :first-child, .ator-rows tr > .ator-text,
  .ator-rows thead tr > *, .ator-rows tfoot tr > * {
    position: static; min-width: 0; padding: 0.2rem 0.25rem; white-space: normal;
  }
  .ator-rows tr > .ator-text { overflow-wrap: anywhere; }
  .ator-rows tr > :first-child { min-width: 6rem; }
}
"""

_SIGNS = {
    Verdict.REGRESSED: "◆",
    Verdict.IMPROVED: "■",
    Verdict.NO_CHANGE: "●",
    Verdict.NOT_ENOUGH_EVIDENCE: "○",
    Verdict.NOT_COMPARABLE: "✕",
}
"""The markers that figures have for the verdicts, as letters."""

MOODS: dict[str, tuple[str, str]] = {
    **{str(verdict): (_SIGNS[verdict], theme.VERDICTS[verdict][0]) for verdict in Verdict},
    **dict.fromkeys(["failed", "failure"], ("◆", theme.VERMILION)),
    **dict.fromkeys(["passed", "success"], ("■", theme.GREEN)),
    **dict.fromkeys(["waived", "differs", "unknown", "no verdict", "cancelled", "abandoned"], ("○", theme.GREY)),
    **dict.fromkeys(["running", "queued"], ("●", theme.BLUE)),
}
"""The word of an outcome → its sign and its colour, so that it is seen without colours, too."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell that has more than its text.

    Attributes
    ----------
    sign, colour
        A sign before the text, in a colour.
    tinted
        Whether the cell is to be seen from afar.
    share
        How far it is filled, from 0 to 1, as a bar behind the text.
    """

    text: str
    sign: str | None = None
    colour: str = theme.GREY
    tinted: bool = False
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table: its heading, and how the cell of a row is written (plain text, escaped here).

    ``kind`` is ``number`` (right), ``words`` (left), ``fact`` (left, wrapped where it is long), or ``text`` (left,
    wrapped, and given room).
    """

    heading: str
    write: Callable[[Mapping[str, Any]], str | Cell]
    kind: str = "number"


def outcome(word: str | None, otherwise: str = "not judged") -> Cell:
    """Return the cell of a verdict or another outcome, with its sign."""
    if word is None:
        return Cell(text=otherwise)
    sign, colour = MOODS.get(word, (None, theme.GREY))
    return Cell(text=word, sign=sign, colour=colour)


def shown(*parts: str) -> str:
    """Put parts together as one result; each of the parts is HTML already."""
    return f'<style>{_STYLE}</style><div class="ator-shown">{"".join(parts)}</div>'


def banner(word: str, words: str, title: str | None = None) -> str:
    """Show an outcome so that nobody overlooks it, and what it rests on; ``words`` may be empty."""
    sign, colour = MOODS.get(word, ("○", theme.GREY))
    above = f"<span>{html.escape(title)}</span>" if title else ""
    head = f'<b><span class="ator-sign" aria-hidden="true">{sign}</span> {html.escape(word)}</b>'
    below = html.escape(sentence(words)) if words else ""
    return f'<div class="ator-banner" style="--mood: {colour}">{above}{head}{below}</div>'


def paragraph(words: str) -> str:
    """Show a sentence or two."""
    return f"<p>{html.escape(words)}</p>"


def notes(sentences: Iterable[str]) -> str:
    """List sentences; nothing if there are none."""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in sentences)
    return f"<ul>{items}</ul>" if items else ""


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    name: str,
    foot: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Show rows in a box that scrolls where it is too small; the first column heads them and stays in sight.

    Of very many rows the first four hundred are shown, and the number of the others is told.

    Parameters
    ----------
    name
        What the table is, for those who hear it.
    foot
        Rows that stay in sight at the bottom.
    """
    headings = "".join(f'<th scope="col"{_class(c.kind)}>{html.escape(c.heading)}</th>' for c in columns)
    body, last = ("".join(_row(row, columns) for row in part) for part in (rows[:_MOST_ROWS], foot))
    closing = f"<tfoot>{last}</tfoot>" if last else ""
    left_out = paragraph(f"{len(rows) - _MOST_ROWS:,} more rows are not shown.") if len(rows) > _MOST_ROWS else ""
    return (
        f'<div class="ator-rows" tabindex="0" role="region" aria-label="{html.escape(name, quote=True)}"><table>'
        f"<thead><tr>{headings}</tr></thead><tbody>{body}</tbody>{closing}</table></div>{left_out}"
    )


def facts(named: Mapping[str, str]) -> str:
    """Show facts one below the other."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td class="ator-known">{html.escape(fact)}</td></tr>'
        for name, fact in named.items()
    )
    return f'<div class="ator-rows"><table><tbody>{rows}</tbody></table></div>'


def _row(row: Mapping[str, Any], columns: Sequence[Column]) -> str:
    first, *others = columns
    return f"<tr>{_head(first.write(row))}{''.join(_cell(column.write(row), column.kind) for column in others)}</tr>"


def _head(name: str | Cell) -> str:
    """Head a row; a long name is cut in its middle and stands whole in the tooltip."""
    whole = name.text if isinstance(name, Cell) else name
    title = f' title="{html.escape(whole, quote=True)}"' if len(whole) > _LONGEST_NAME else ""
    return f'<th scope="row"{title}>{html.escape(cut(whole, _LONGEST_NAME))}</th>'


def _cell(content: str | Cell, kind: str) -> str:
    cell = content if isinstance(content, Cell) else Cell(text=content)
    kinds = [kind] * (kind != "number") + ["tinted"] * cell.tinted + ["bar"] * (cell.share is not None)
    share = "" if cell.share is None else f' style="--share: {100 * cell.share:.1f}%"'
    sign = ""
    if cell.sign is not None:
        sign = f'<span class="ator-sign" style="--mood: {cell.colour}" aria-hidden="true">{cell.sign}</span> '
    return f"<td{_class(*kinds)}{share}>{sign}{html.escape(cell.text)}</td>"


def _class(*kinds: str) -> str:
    names = " ".join(f"ator-{kind}" for kind in kinds if kind != "number")
    return f' class="{names}"' if names else ""
