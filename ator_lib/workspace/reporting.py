"""Notebooks and reports of a workspace: the kernel is handed the same store."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ator_lib.errors import NotebookError, StoreError
from ator_lib.reports.html import export_html
from ator_lib.reports.notebook import find_notebook, run_notebook
from ator_lib.workspace.parts import Parts


def execute_notebook(
    parts: Parts,
    name: str | Path,
    output: Path | str | None,
    parameters: Mapping[str, Any],
    report: Path | str | None,
) -> Path:
    """Execute a notebook on this workspace's store; see ``Workspace.notebook``."""
    source = find_notebook(name)
    target = Path(output) if output is not None else Path(f"{source.stem}.out.ipynb")
    title = source.stem.replace("_", " ").capitalize()
    try:
        run_notebook(source, target, parameters=parameters, env=_kernel_env(parts))
    except NotebookError:
        if report is not None:  # the report of a failure is worth as much: it shows the cell and its error
            export_html(target, Path(report), title=f"{title} (failed)")
        raise
    if report is not None:
        export_html(target, Path(report), title=title)
    return target


def write_report(parts: Parts, run_id: int, baseline: int | None, path: Path) -> Path:
    """Execute ``analyze_run`` and keep only its HTML; see ``Workspace.report``."""
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} of the report does not exist: make it, or choose another path")
    with tempfile.TemporaryDirectory(prefix="ator-report-") as folder:
        notebook = run_notebook(
            find_notebook("analyze_run"),
            Path(folder) / "analyze_run.ipynb",
            parameters={"run_id": run_id, "baseline": baseline},
            env=_kernel_env(parts),
        )
        return export_html(notebook, path, title=f"ATOR report: run {run_id}")


def _kernel_env(parts: Parts) -> dict[str, str]:
    """The store by environment, so that no password stands in a notebook's parameters."""
    url = parts.database_url.get_secret_value() if parts.database_url else ""
    return {"ATOR_DATA": str(parts.data), "ATOR_DATABASE_URL": url}
