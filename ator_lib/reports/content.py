"""What a report says, whatever its format: plain records in, texts out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ator_lib.errors import UsageError
from ator_lib.figures.markup import Column
from ator_lib.registry.wire import to_json
from ator_lib.reports import markdown
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.junit import JUnitCase, junit_xml
from ator_lib.reports.secrets import Redaction
from ator_lib.written import because

Record = Mapping[str, Any]

MOST_ROWS = 50
"""Of a table in a pull request's summary; JSON has all."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A table with its heading."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a report says.

    Attributes
    ----------
    document
        For programs: all there is, in plain values.
    sections, notes
        For people: what they need to see.
    cases
        For CI systems: a case for each thing that was judged.
    """

    about: ReportFacts
    document: Record
    sections: Sequence[Section] = ()
    notes: Sequence[str] = ()
    cases: Sequence[JUnitCase] = ()


def section(heading: str, columns: Sequence[Column], rows: Sequence[Record]) -> Section:
    """Make a section of the columns that a result shows itself with."""
    written = [[column.write(row) for column in columns] for row in rows]
    cells = [[cell if isinstance(cell, str) else cell.text for cell in row] for row in written]
    return Section(heading=heading, columns=[column.heading for column in columns], rows=cells)


def text_of(content: Content, suffix: str, redaction: Redaction) -> str:
    """Write a report in the format of a suffix, ``.json``, ``.xml`` (JUnit) or ``.md``, without secrets."""
    return _WRITERS[suffix](content, redaction)


def suffix_of(path: Path) -> str:
    """Return the format that a file's name asks for.

    Raises
    ------
    UsageError
        There is no such format.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(f"{suffix} ({words})" for suffix, words in FORMATS.items())
        raise UsageError(f"no report is written as {path.name!r}: its name may end in {known}")
    return suffix


FORMATS = {".html": "a page", ".json": "for programs", ".xml": "JUnit", ".md": "Markdown"}
"""What the end of a report's name asks for."""


def _json(content: Content, redaction: Redaction) -> str:
    whole = {"report": content.about.to_dict(), **content.document}
    return json.dumps(redaction.scrub(to_json(whole)), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _markdown(content: Content, redaction: Redaction) -> str:
    about = content.about
    parts = [f"## {markdown.text(redaction.scrub(about.title))}"]
    if about.verdict is not None:
        said = redaction.scrub(because(about.headline, about.verdict))
        parts.append(f"**{markdown.text(about.verdict)}**" + (f": {markdown.text(said)}" if said else ""))
    elif about.headline:
        parts.append(markdown.text(redaction.scrub(about.headline)))
    for part in content.sections:
        parts.append(f"### {markdown.text(part.heading)}")
        parts.append(markdown.table(part.columns, redaction.scrub(part.rows)))
    if content.notes:
        parts.append("\n".join(f"- {markdown.text(redaction.scrub(note))}" for note in content.notes))
    return "\n\n".join(parts) + "\n"


def _junit(content: Content, redaction: Redaction) -> str:
    about = redaction.scrub(content.about.to_dict())
    cases = [JUnitCase(**redaction.scrub(vars(case))) for case in content.cases]
    properties = {name: value for name, value in about.items() if value not in (None, []) and name != "title"}
    return junit_xml(about["title"], cases, properties)


_WRITERS: Mapping[str, Callable[[Content, Redaction], str]] = {".json": _json, ".xml": _junit, ".md": _markdown}
