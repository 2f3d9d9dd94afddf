"""What answers about files look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from ator_lib.model import IngestReport
from ator_lib.server.answers import RunAnswer


class IngestAnswer(BaseModel):
    """What was read from an uploaded file."""

    samples: int
    started_at: datetime | None
    ended_at: datetime | None
    tool: str | None
    tool_version: str | None
    precision: str | None
    truncated: bool
    report: IngestReport | None


class ResultsAnswer(BaseModel):
    """The run, and what was read."""

    run: RunAnswer
    ingest: IngestAnswer


class RejectedAnswer(BaseModel):
    """A row that cannot be read."""

    source: str
    line: int | None
    reason: str
    text: str | None


class PreviewAnswer(BaseModel):
    """What a file holds: rows by table, and the figures that the run would have."""

    report: IngestReport
    lines: list[str] = Field(description="The report in sentences, the most important first.")
    tables: dict[str, int]
    total: dict[str, Any] | None = Field(description="The whole run's summary; null if there are no requests.")
    endpoints: list[dict[str, Any]] = Field(description="Summaries of the endpoints with most requests.")
    rejected: list[RejectedAnswer] = Field(description="The first rows that cannot be read.")


class UploadAnswer(BaseModel):
    """A file that no run was made of yet."""

    upload_id: str
    file_name: str
    expires_at: datetime
    preview: PreviewAnswer


class ArtifactAnswer(BaseModel):
    """A file that a tool left behind, by the name that it is downloaded under."""

    name: str
    bytes: int


class ArtifactsAnswer(BaseModel):
    """The files of a run."""

    artifacts: list[ArtifactAnswer]
