"""What a search may ask."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ator_lib.errors import UsageError
from ator_lib.registry.history import TEXTS
from ator_lib.registry.pages import MOST_RUNS
from ator_lib.registry.wire import MOST_PER_PAGE
from ator_lib.server.bodies import Text
from ator_lib.workspace.ingest import column_map
from ator_lib.workspace.uploads import LONGEST_NAME_BYTES, NOT_IN_NAMES

_FILE_NAME = f"^[^{NOT_IN_NAMES}]*[^{NOT_IN_NAMES}.][^{NOT_IN_NAMES}]*$"  # of no folder, and more than dots

Texts: TypeAlias = Annotated[list[Text] | None, Field(max_length=100)]


class FilterQuery(BaseModel):
    """Filters of the history. Repeat a parameter to take any of its values; ``%`` stands for any text."""

    model_config = ConfigDict(extra="forbid")

    test: Texts = None
    stream: Texts = Field(None, description="In any case of letters, such as `main%`.")
    repo: Texts = None
    lac: Texts = None
    type: Texts = None
    environment: Texts = None
    triggered_by: Texts = None
    tool: Texts = None
    location: Texts = None
    status: Texts = None
    status_reason: Texts = None
    run_id: Annotated[list[int] | None, Field(max_length=1000)] = None
    since: Text | None = Field(None, description="Started, or else queued, at this time or later; UTC without a zone.")
    until: Text | None = Field(None, description="Started, or else queued, before this time.")
    tag: Texts = Field(None, description="All of these.")
    attribute: Texts = Field(
        None, description='`name=value`; a value that is JSON (`50`, `true`, `"50"`) is that, else text.'
    )
    any_of: Text | None = Field(
        None,
        description="JSON: a list of filters, one of which must hold; also of ranges: "
        '`[{"p95_ms": [500, null], "duration_s": [60, 300]}]`.',
    )

    def where(self) -> dict[str, Any]:
        """Make the registry's filter.

        Raises
        ------
        UsageError
            ``attribute`` or ``any_of`` cannot be read.
        """
        where = {name: getattr(self, name) for name in (*TEXTS, "run_id", "since", "until", "tag")}
        if self.attribute:
            where["attributes"] = dict(_named_values(self.attribute))
        if self.any_of is not None:
            where["any_of"] = _any_of(self.any_of)
        return {name: value for name, value in where.items() if value is not None}


class HistoryQuery(FilterQuery):
    """Which page of what the filters find."""

    limit: int = Field(100, ge=1, le=MOST_PER_PAGE)
    order: Text = Field("-run_id", description="A field's or figure's name, with `-` in front descending.")
    cursor: Text | None = Field(None, description="`next_cursor` of the page before.")
    offset: int = Field(0, ge=0, le=MOST_RUNS, description="Leave out so many.")
    figures: bool = Field(False, description="Whether to give the figures of all requests of each run, too.")

    def page(self) -> dict[str, Any]:
        """Give what ``Registry.history`` takes beside the filter."""
        return self.model_dump(include={"limit", "order", "cursor", "offset", "figures"})


def _named_values(texts: Iterable[str]) -> Iterable[tuple[str, Any]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError("attribute is written name=value, such as attribute=git_commit=0f3c")
        yield name, _json_or_text(value)


def _json_or_text(text: str) -> Any:
    try:
        value = _json(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str | int | float) else text


def _any_of(text: str) -> Any:
    try:
        return _json(text)
    except (ValueError, RecursionError):
        raise UsageError('any_of is JSON, a list of filters such as [{"test": "a"}, {"stream": "main%"}]') from None


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(word: str) -> Any:
    raise ValueError(word)  # NaN and Infinity are no JSON


def _fits_a_disk(name: str) -> str:
    if len(name.encode()) > LONGEST_NAME_BYTES:
        raise ValueError(f"a name has at most {LONGEST_NAME_BYTES} bytes as UTF-8")
    return name


FileName: TypeAlias = Annotated[
    str, Field(pattern=_FILE_NAME, max_length=LONGEST_NAME_BYTES), AfterValidator(_fits_a_disk)
]


class ResultsQuery(BaseModel):
    """How an uploaded file is to be read, where it does not say so itself."""

    model_config = ConfigDict(extra="forbid")

    file_name: FileName = Field(
        "the uploaded file", description="What the file is called, for messages and the report: at most 200 bytes."
    )
    format: Text | None = Field(None, description="The format; without it the content tells.")
    columns: Text | None = Field(None, description="Columns of a table: `duration_ms=latency:s,name=endpoint`.")
    timezone: Text | None = Field(None, description="Zone of times that have none; UTC without it.")
    started_at: Text | None = Field(None, description="When the run started, for files with offsets only.")
    max_rejected_rate: float | None = Field(None, ge=0, le=1, description="Share of rows that may be left out.")

    def arguments(self) -> dict[str, Any]:
        """Give what ``Workspace.ingest`` takes.

        Raises
        ------
        UsageError
            ``columns`` cannot be read.
        """
        given = self.model_dump(exclude={"file_name", "columns"})
        return given | {"columns": None if self.columns is None else column_map(self.columns)}
