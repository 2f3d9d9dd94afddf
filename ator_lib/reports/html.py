"""An executed notebook as one HTML file that works with no network."""

from __future__ import annotations

import html as html_text
import json
import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from papermill.execute import ERROR_MARKER_TAG
from plotly.offline import get_plotlyjs

from ator_lib.errors import NotFoundError, StoreError, UsageError

PLOTLY = "application/vnd.plotly.v1+json"
_LEFT_OUT = {ERROR_MARKER_TAG, "remove-cell"}
_DEFAULT_HEIGHT_PX = 450  # plotly.js's own
_PLACE_OF_PLOTLY_JS = '<script id="plotly-js"></script>'
_SHOWN_TYPES = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain"]
"""What an output may be shown as, best first: no widgets and no scripts that would need a library from elsewhere."""

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


def export_html(notebook: Path, html: Path, *, title: str) -> Path:
    """Write an executed notebook as one HTML file.

    The file asks for nothing from any host: plotly.js stands in it once if there is a figure, and its
    content security policy forbids requests, also those that an output of the notebook may try.
    Code is hidden until the reader asks for it; a failed cell's error is always shown.

    Parameters
    ----------
    notebook
        The executed notebook; it is not changed.
    html
        The file to write; it appears whole or not at all, and replaces an earlier one.
    title
        Plain text; it is escaped.

    Returns
    -------
    Path
        ``html``.

    Raises
    ------
    NotFoundError, UsageError
        There is no notebook, or the file is none.
    StoreError
        ``html`` cannot be written.
    """
    executed = _read(notebook)
    report = {
        "title": title,
        "version": version("ator"),
        "failed": any(_failed(cell) for cell in executed.cells),
        "has_figures": any(PLOTLY in output.get("data", {}) for cell in executed.cells for output in _outputs(cell)),
        "parameters": list(executed.metadata.get("papermill", {}).get("parameters", {}).items()),
        "made_at": executed.metadata.get("papermill", {}).get("end_time"),
    }
    text, _ = _exporter().from_notebook_node(executed, resources={"report": report})
    _write(html, text.replace(_PLACE_OF_PLOTLY_JS, f"<script>{get_plotlyjs()}</script>", 1))
    return html


class ReportPreprocessor(Preprocessor):
    """Turns plotly figures into their place in the page, and marks failed cells.

    Cells tagged ``remove-cell`` (Jupyter Book's word: instructions for who edits the notebook) are left
    out, and so are papermill's notes on a failure, as the page has its own.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Prepare all cells; nbconvert hands over a copy."""
        nb.cells = [cell for cell in nb.cells if not _LEFT_OUT & set(cell.metadata.get("tags", []))]
        for cell in nb.cells:
            cell.metadata["report_failed"] = _failed(cell)
            for output in _outputs(cell):
                if PLOTLY in output.get("data", {}):
                    output.data = NotebookNode({"text/html": _figure_html(output.data[PLOTLY])})
        return nb, resources


def _exporter() -> HTMLExporter:
    exporter = HTMLExporter(
        template_name="report",
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
        exclude_anchor_links=True,
        exclude_output_prompt=True,
        embed_images=True,
        log=_logger,
        mathjax_url="",
        require_js_url="",
        jquery_url="",
        jupyter_widgets_base_url="",
        config={"NbConvertBase": {"display_data_priority": _SHOWN_TYPES}},
    )
    exporter.mermaid_js_url = exporter.mermaid_layout_elk_js_url = ""  # not configurable by argument
    exporter.register_preprocessor(ReportPreprocessor, enabled=True)
    return exporter


def _figure_html(figure: dict[str, Any]) -> str:
    """Return the figure as JSON in the page; report.js draws it."""
    layout = dict(figure.get("layout", {}))
    config = {**figure.get("config", {}), "responsive": True, "displaylogo": False}
    config.pop("plotlyServerURL", None)
    whole = {"data": figure.get("data", []), "layout": layout, "config": config, "frames": figure.get("frames", [])}
    text = json.dumps(whole, separators=(",", ":")).replace("<", "\\u003c")  # nothing in it can end the script
    height = float(layout.get("height") or _DEFAULT_HEIGHT_PX)
    label = html_text.escape(_title_text(layout) or "Figure", quote=True)
    return (
        f'<div class="report-figure" role="figure" aria-label="{label}" style="--height: {height:g}px">'
        f'<script type="application/json">{text}</script>'
        "<noscript>Figures need JavaScript.</noscript></div>"
    )


def _title_text(layout: dict[str, Any]) -> str:
    title = layout.get("title")
    return str(title.get("text") or "") if isinstance(title, dict) else str(title or "")


def _outputs(cell: NotebookNode) -> list[NotebookNode]:
    outputs: list[NotebookNode] = cell.get("outputs", [])
    return outputs


def _failed(cell: NotebookNode) -> bool:
    """Whether an error ended the notebook here: not one that the cell is tagged to show, nor ``exit(0)``."""
    if "raises-exception" in cell.metadata.get("tags", []):
        return False
    errors = [output for output in _outputs(cell) if output.output_type == "error"]
    return any((error.ename, error.evalue) != ("SystemExit", "0") for error in errors)


def _read(notebook: Path) -> NotebookNode:
    try:
        executed: NotebookNode = nbformat.read(notebook, as_version=4)
    except OSError as error:
        raise NotFoundError(f"the notebook {notebook} cannot be read: {error.strerror or error}.") from error
    except (ValueError, AttributeError) as error:  # nbformat's own errors are ValueErrors
        raise UsageError(f"{notebook} is not a Jupyter notebook.") from error
    return executed


def _write(path: Path, text: str) -> None:
    whole = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            whole.write_text(text, encoding="utf-8")
            whole.replace(path)
        finally:
            whole.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"the report cannot be written to {path}: {error.strerror or error}.") from error
