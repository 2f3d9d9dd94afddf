"""An executed notebook as one HTML file that works with no network."""

from __future__ import annotations

import html as html_text
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, from_dict
from papermill.execute import ERROR_MARKER_TAG
from plotly.offline import get_plotlyjs

from ator_lib.errors import NotFoundError, ToolError, UsageError
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.files import write_whole
from ator_lib.reports.numbers import numbers_table, plain_text
from ator_lib.reports.secrets import Redaction

Draw = Callable[[Sequence[Mapping[str, Any]]], Sequence[str | None]]
"""Makes a picture of each figure; see ``Chromium.draw``."""

PLOTLY = "application/vnd.plotly.v1+json"
_LEFT_OUT = {ERROR_MARKER_TAG, "remove-cell"}
"""Tags of cells that are not for readers: papermill's note on a failure, as the page has its own, and
instructions for who edits the notebook (Jupyter Book's word)."""
_DEFAULT_HEIGHT_PX = 450  # plotly.js's own
_PLACE_OF_PLOTLY_JS = '<script id="plotly-js"></script>'
_SHOWN_TYPES = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain"]
"""What an output may be shown as, best first: no widgets and no scripts that would need a library from elsewhere."""

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


def export_html(
    notebook: Path, html: Path, about: ReportFacts, *, redaction: Redaction, draw: Draw | None = None
) -> Path:
    """Write an executed notebook as one HTML file.

    The file asks for nothing from any host: plotly.js stands in it once if there is a figure, and its
    content security policy forbids requests, also those that an output of the notebook may try.
    In the place of each figure stands a still picture, or its numbers as a table; the script puts the live figure
    there. So a viewer that runs no script, and paper, show the picture.
    Code is hidden until the reader asks for it; a failed cell's error is always shown.

    Parameters
    ----------
    notebook
        The executed notebook; it is not changed.
    html
        The file to write; it appears whole or not at all, and replaces an earlier one.
    about
        What the report is of, for its title and for programs.
    redaction
        Knows the secrets that must not appear.
    draw
        Makes pictures of figures, as ``Chromium.draw`` does; ``None`` where there is nothing to draw with.

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
    executed = from_dict(redaction.scrub(_read(notebook)))
    executed.cells = [cell for cell in executed.cells if not _LEFT_OUT & set(cell.metadata.get("tags", []))]
    figures = [
        _whole(output.data[PLOTLY]) for cell in executed.cells for output in _outputs(cell) if _is_figure(output)
    ]
    pictures, without = _drawn(figures, draw)
    places = {f"<!--{uuid4().hex}-->": _figure_html(*pair) for pair in zip(figures, pictures, strict=True)}
    run_with = executed.metadata.get("papermill", {})
    report = {
        "title": redaction.scrub(about.title),
        "meta": json.dumps(redaction.scrub(about.to_dict()), ensure_ascii=False),
        "version": version("ator"),
        "failed": any(_failed(cell) for cell in executed.cells),
        "places": iter(places),
        "has_figures": bool(figures),
        "without_pictures": redaction.scrub(without),
        "parameters": list(run_with.get("parameters", {}).items()),
        "made_at": about.made_at,
    }
    text, _ = _exporter().from_notebook_node(executed, resources={"report": report})
    places[_PLACE_OF_PLOTLY_JS] = f"<script>{get_plotlyjs()}</script>"
    write_whole(html, _filled(text, places))
    return html


class ReportPreprocessor(Preprocessor):
    """Turns plotly figures into their place in the page, and marks failed cells."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Prepare all cells; nbconvert hands over a copy."""
        for cell in nb.cells:
            cell.metadata["report_failed"] = _failed(cell)
            for output in _outputs(cell):
                if _is_figure(output):
                    output.data = NotebookNode({"text/html": next(resources["report"]["places"])})
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


def _filled(text: str, places: Mapping[str, str]) -> str:
    """Put in what is long, after the exporter, which parses all that goes through it."""
    for place, content in places.items():
        text = text.replace(place, content, 1)
    return text


def _drawn(figures: Sequence[dict[str, Any]], draw: Draw | None) -> tuple[Sequence[str | None], str | None]:
    """Return a picture of each figure, or ``None`` for it; and why there are no pictures if there are none."""
    none = [None] * len(figures)
    if not figures:
        return none, None
    if draw is None:
        return none, "No Chromium was found to draw them."
    try:
        return draw(figures), None
    except ToolError as error:  # the report matters more
        return none, str(error)


def _whole(figure: dict[str, Any]) -> dict[str, Any]:
    config = {**figure.get("config", {}), "responsive": True, "displaylogo": False}
    config.pop("plotlyServerURL", None)
    parts = {name: figure.get(name, empty) for name, empty in (("data", []), ("layout", {}), ("frames", []))}
    return {**parts, "config": config}


def _figure_html(figure: dict[str, Any], picture: str | None) -> str:
    """Return the place of a figure: what is seen without scripts, and the figure as JSON, which report.js draws."""
    text = json.dumps(figure, separators=(",", ":")).replace("<", "\\u003c")  # nothing in it can end the script
    height = float(figure["layout"].get("height") or _DEFAULT_HEIGHT_PX)
    title = _title_text(figure["layout"])
    label = html_text.escape(title or "Figure", quote=True)
    kind, still = "picture", picture
    if picture is None:
        kind, still = "numbers", numbers_table(figure, title) or "<p>This figure needs JavaScript.</p>"
    elif picture.startswith("data:"):
        still = f'<img src="{picture}" alt="{label}">'
    return (
        f'<div class="report-figure with-{kind}" role="figure" aria-label="{label}" style="--height: {height:g}px">'
        f'<div class="report-still">{still}</div>'
        f'<script type="application/json">{text}</script></div>'
    )


def _title_text(layout: dict[str, Any]) -> str:
    title = layout.get("title")
    return plain_text(title.get("text") if isinstance(title, dict) else title)


def _is_figure(output: NotebookNode) -> bool:
    return PLOTLY in output.get("data", {})


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
