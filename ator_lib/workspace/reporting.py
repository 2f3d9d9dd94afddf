"""Notebooks and reports of a workspace: the kernel is handed the same store.

Jupyter's packages take half a second to load, so they are imported by the calls that need them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ator_lib.errors import NotebookError, StoreError, UsageError
from ator_lib.workspace.parts import Parts

if TYPE_CHECKING:
    from ator_lib.reports.facts import ReportFacts
    from ator_lib.reports.secrets import Redaction
    from ator_lib.workspace.comparison import Comparison
    from ator_lib.workspace.run import RunHandle
    from ator_lib.workspace.subjects import Subject
    from ator_lib.workspace.trend import Trend


def execute_notebook(
    parts: Parts,
    name: str | Path,
    output: Path | str | None,
    parameters: Mapping[str, Any],
    report: Path | str | None,
) -> Path:
    """Execute a notebook on this workspace's store; see ``Workspace.notebook``."""
    from ator_lib.reports.facts import ReportFacts
    from ator_lib.reports.notebook import find_notebook

    source = find_notebook(name)
    target = Path(output) if output is not None else Path(f"{source.stem}.out.ipynb")
    if report is not None:
        _check_is_file(Path(report))
    about = ReportFacts(kind="notebook", title=source.stem.replace("_", " ").capitalize())
    return _run(parts, source, target, parameters, None if report is None else Path(report), about, {})


def write_report(
    parts: Parts, of: RunHandle | Comparison | Trend, path: Path, *, against: Comparison | None = None
) -> Path:
    """Write a report in the format that its name asks for; see ``Workspace.report``."""
    from ator_lib.reports.content import suffix_of, text_of
    from ator_lib.reports.files import write_whole
    from ator_lib.workspace.subjects import subject_of

    subject, suffix = subject_of(parts, of, against), suffix_of(path)
    if suffix == ".html":
        return _write_page(parts, subject, path)
    write_whole(path, text_of(subject.content(), suffix, _redaction(parts, subject.attributes)))
    return path


def check_place(path: Path) -> None:
    """Refuse a name that no report can be written to, before the work for it is done.

    Raises
    ------
    UsageError
        It ends in no known format, or is that of a folder; or its folder does not exist, or takes no files.
    """
    from ator_lib.reports.content import suffix_of

    suffix_of(path)
    _check_is_file(path)
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} of the report does not exist: make it, or choose another path")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {path.parent} of the report cannot be written: choose another path")


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it for the report, such as {path / 'report.html'}")


def _write_page(parts: Parts, subject: Subject, path: Path) -> Path:
    """Execute the subject's notebook and keep only its page."""
    try:
        with tempfile.TemporaryDirectory(prefix="ator-report-") as folder:
            _execute(parts, subject, Path(folder), path)
    except OSError as error:  # a full disk
        raise StoreError(f"the report cannot be made in {tempfile.gettempdir()}: {error.strerror}.") from error
    return path


def _execute(parts: Parts, subject: Subject, folder: Path, path: Path) -> None:
    """Execute in a folder that goes; only the notebook of a failure outlives it, beside the report."""
    from ator_lib.reports.notebook import find_notebook

    source = find_notebook(subject.notebook)
    target = folder / source.name
    try:
        _run(parts, source, target, subject.parameters, path, subject.about, subject.attributes)
    except NotebookError as error:
        kept = Path(shutil.copy(error.notebook, path.with_suffix(".failed.ipynb")))
        said = str(error).replace(str(error.notebook), str(kept))
        raise NotebookError(said, notebook=kept, exit_code=error.exit_code) from error


def _run(
    parts: Parts,
    source: Path,
    target: Path,
    parameters: Mapping[str, Any],
    report: Path | None,
    about: ReportFacts,
    attributes: Mapping[str, Any],
) -> Path:
    """Execute, and write the report in any case: that of a failure shows the cell and its error."""
    from ator_lib.reports.html import export_html
    from ator_lib.reports.images import Chromium
    from ator_lib.reports.notebook import run_notebook

    chromium = Chromium.find(parts.chromium) if report is not None else None
    draw = chromium.draw if chromium else None
    redaction = _redaction(parts, attributes)
    try:
        run_notebook(source, target, parameters=parameters, env=_kernel_env(parts))
    except NotebookError as error:
        if report is not None:
            failed = replace(about, title=f"{about.title} (failed)", verdict="failed", headline=str(error))
            export_html(target, report, failed, redaction=redaction, draw=draw)
        raise
    if report is not None:
        export_html(target, report, about, redaction=redaction, draw=draw)
    return target


def _kernel_env(parts: Parts) -> dict[str, str]:
    """Name the store by environment, so that no password stands in a notebook's parameters."""
    url = parts.database_url.get_secret_value() if parts.database_url else ""
    return {"ATOR_DATA": str(parts.data), "ATOR_DATABASE_URL": url, "ATOR_RESULTS": parts.results, "ATOR_SERVER": ""}


def _redaction(parts: Parts, attributes: Mapping[str, Any]) -> Redaction:
    """Know the secrets of the environment, of the settings (which a file may hold), and of runs."""
    from ator_lib.reports.secrets import Redaction

    settings = {"influx_token": parts.influx.token} if parts.influx else {}
    return Redaction(os.environ, _kernel_env(parts), settings, attributes)
