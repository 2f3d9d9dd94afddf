"""One page that lists the reports of a folder: it needs no network and no server, and links to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from ator_lib.errors import UsageError
from ator_lib.figures.markup import MOODS
from ator_lib.reports.facts import ReportFacts, facts_in
from ator_lib.reports.files import write_whole
from ator_lib.written import because

NAME = "index.html"
_NO_MOOD = ("", "inherit")


@dataclass(frozen=True, kw_only=True)
class FolderIndex:
    """What was found in a folder.

    Attributes
    ----------
    page
        The page that was written.
    reports
        How many reports it lists.
    skipped
        HTML files that are no report of ours, or a broken one, and why.
    """

    page: Path
    reports: int
    skipped: tuple[tuple[Path, str], ...]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A report of the folder; its address is relative to the page."""

    address: str
    about: ReportFacts

    @property
    def mood(self) -> tuple[str, str]:
        """The sign and colour of its verdict."""
        return MOODS.get(self.about.verdict or "", _NO_MOOD)

    @property
    def said(self) -> str:
        """Its headline, without the verdict, which stands beside it."""
        return because(self.about.headline, self.about.verdict)


def write_index(folder: Path) -> FolderIndex:
    """Write ``index.html`` into a folder: all reports in and below it, newest first.

    Raises
    ------
    UsageError
        There is no such folder, or an ``index.html`` in it that is none of ours.
    StoreError
        The page cannot be written.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} to make an index of")
    page = folder / NAME
    if page.exists() and not _is_index(page):
        raise UsageError(f"{page} is no index of reports: move it elsewhere, and it can be made")
    entries: list[_Entry] = []
    skipped: list[tuple[Path, str]] = []
    for path in _pages(folder):
        found = _entry(path, folder)
        if isinstance(found, str):
            skipped.append((path, found))
        else:
            entries.append(found)
    entries.sort(key=lambda entry: entry.address)
    entries.sort(key=lambda entry: entry.about.made_at, reverse=True)
    write_whole(page, _page(folder, entries, len(skipped)))
    return FolderIndex(page=page, reports=len(entries), skipped=tuple(skipped))


def _pages(folder: Path) -> Iterator[Path]:
    """Give the HTML files that may be reports; hidden ones are somebody's that is still writing."""
    for path in sorted(folder.rglob("*.html")):
        if path.is_file() and not path.name.startswith(".") and not (path.name == NAME and _is_index(path)):
            yield path


def _is_index(page: Path) -> bool:
    try:
        about = facts_in(page)
    except (ValueError, OSError):
        return False
    return about is not None and about.kind == "index"


def _entry(path: Path, folder: Path) -> _Entry | str:
    """Read a report's facts, or say why there are none."""
    try:
        about = facts_in(path)
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    except ValueError:
        return "what it says of itself cannot be read"
    if about is None:
        return "it is no report of ATOR, or of an earlier version"
    return _Entry(address=quote(path.relative_to(folder).as_posix()), about=about)


def _page(folder: Path, entries: list[_Entry], skipped: int) -> str:
    loader = PackageLoader("ator_lib.reports")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    title = f"Reports in {folder.resolve().name or folder.resolve()}"
    about = ReportFacts(kind="index", title=title, made_at=datetime.now(UTC))
    return page.get_template("index/index.html.j2").render(
        about=about,
        meta=json.dumps(about.to_dict(), ensure_ascii=False),
        entries=entries,
        skipped=skipped,
        version=version("ator"),
    )
