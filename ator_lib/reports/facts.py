"""What a report says of itself, for programs: in the head of its page, where the index of a folder finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

META = "ator-report"
"""Name of the ``<meta>`` tag."""
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """What a report is of.

    Attributes
    ----------
    kind
        ``run``, ``comparison``, ``trend`` or ``notebook``.
    verdict
        Of a comparison; the status of a run that is compared with nothing; ``None`` for others.
    headline
        The answer in a sentence; ``None`` if there is none.
    run_ids
        The runs that it judges, not those that it compares them with.
    """

    kind: str
    title: str
    verdict: str | None = None
    headline: str | None = None
    run_ids: tuple[int, ...] = ()
    test: str | None = None
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {**vars(self), "run_ids": list(self.run_ids), "made_at": self.made_at.isoformat(timespec="seconds")}


def facts_in(page: Path) -> ReportFacts | None:
    """Read what a page says of itself; ``None`` if it is no report of ours.

    Raises
    ------
    ValueError
        It says that it is one, and then nothing that can be read.
    OSError
        The file cannot be read.
    """
    with page.open("rb") as stream:
        head = stream.read(_HEAD_BYTES).decode("utf-8", errors="replace")
    finder = _Finder()
    finder.feed(head)
    return None if finder.content is None else _read(finder.content)


class _Finder(HTMLParser):
    """Finds the first tag of ours in the head of a page; what stands in its body is anybody's."""

    def __init__(self) -> None:
        super().__init__()
        self.content: str | None = None
        self._in_head = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_head &= tag != "body"
        named = dict(attrs)
        if tag == "meta" and named.get("name") == META and self._in_head and self.content is None:
            self.content = named.get("content") or ""


def _read(text: str) -> ReportFacts:
    said = json.loads(text)
    if not isinstance(said, dict) or not isinstance(said.get("title"), str):
        raise ValueError("it has no title")
    made_at = datetime.fromisoformat(str(said.get("made_at")))
    return ReportFacts(
        kind=str(said.get("kind", "report")),
        title=said["title"],
        verdict=_text(said.get("verdict")),
        headline=_text(said.get("headline")),
        run_ids=tuple(run_id for run_id in said.get("run_ids") or [] if isinstance(run_id, int)),
        test=_text(said.get("test")),
        made_at=made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
