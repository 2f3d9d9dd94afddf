"""Notebooks and reports of a workspace: the kernel is handed the same store.

Jupyter's packages take half a second to load, so they are imported by the calls that need them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ator_lib.errors import NotebookError, UsageError
from ator_lib.workspace.parts import Parts


def execute_notebook(
    parts: Parts,
    name: str | Path,
    output: Path | str | None,
    parameters: Mapping[str, Any],
    report: Path | str | None,
) -> Path:
    """Execute a notebook on this workspace's store; see ``Workspace.notebook``."""
    from ator_lib.reports.notebook import find_notebook

    source = find_notebook(name)
    target = Path(output) if output is not None else Path(f"{source.stem}.out.ipynb")
    title = source.stem.replace("_", " ").capitalize()
    return _run(parts, source, target, parameters, None if report is None else Path(report), title)


def write_report(parts: Parts, run_id: int, baseline: int | None, path: Path) -> Path:
    """Execute ``analyze_run`` and keep only its HTML; see ``Workspace.report``."""
    from ator_lib.reports.notebook import find_notebook

    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} of the report does not exist: make it, or choose another path")
    with tempfile.TemporaryDirectory(prefix="ator-report-") as folder:
        target = Path(folder) / "analyze_run.ipynb"
        parameters = {"run_id": run_id, "baseline": baseline}
        try:
            _run(parts, find_notebook("analyze_run"), target, parameters, path, f"ATOR report: run {run_id}")
        except NotebookError as error:  # the folder goes: what outlives it is kept beside the report
            kept = str(shutil.copy(error.notebook, path.with_suffix(".ipynb")))
            raise NotebookError(
                str(error).replace(str(error.notebook), kept), notebook=Path(kept), exit_code=error.exit_code
            ) from error
    return path


def _run(
    parts: Parts, source: Path, target: Path, parameters: Mapping[str, Any], report: Path | None, title: str
) -> Path:
    """Execute, and write the report in any case: that of a failure shows the cell and its error."""
    from ator_lib.reports.html import export_html
    from ator_lib.reports.notebook import run_notebook

    try:
        run_notebook(source, target, parameters=parameters, env=_kernel_env(parts))
    except NotebookError:
        if report is not None:
            export_html(target, report, title=f"{title} (failed)")
        raise
    if report is not None:
        export_html(target, report, title=title)
    return target


def _kernel_env(parts: Parts) -> dict[str, str]:
    """Name the store by environment, so that no password stands in a notebook's parameters."""
    url = parts.database_url.get_secret_value() if parts.database_url else ""
    return {"ATOR_DATA": str(parts.data), "ATOR_DATABASE_URL": url, "ATOR_SERVER": ""}
