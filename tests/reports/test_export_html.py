from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from playwright.sync_api import expect

from ator_lib.errors import NotebookError, NotFoundError, StoreError, UsageError
from ator_lib.reports.html import export_html
from ator_lib.reports.notebook import run_notebook
from tests.support.browser import GuardedPage
from tests.support.notebooks import MakeNotebook

FIGURE = """
import plotly.graph_objects as go
go.Figure(
    [go.Scatter(x=[1, 2, 3], y=[3, 1, 2], name="</script><b>p95"), go.Bar(x=[1, 2, 3], y=[1, 2, 3])],
    layout={"title": {"text": "Latency"}, "height": 300},
)
"""
TABLE = "import pandas as pd; pd.DataFrame({'name': ['<script>window.hurt = 1</script>'], 'p95_ms': [12.5]})"
GREEDY = """
from IPython.display import HTML
HTML('<img src="http://example.com/x.png"><script src="https://cdn.example.com/x.js"></script>'
     '<link rel="stylesheet" href="https://fonts.example.com/x.css">')
"""


@pytest.fixture
def exported(make_notebook: MakeNotebook, tmp_path: Path) -> Path:
    """Export the report of a notebook with two figures, a table, and outputs that ask for other hosts."""
    notebook = make_notebook(
        ("markdown", "# Checkout\n\nSome *prose*, $x^2$ and ![a picture](http://example.com/y.png)."),
        ("parameters", "run_id = 1"),
        FIGURE,
        FIGURE,
        TABLE,
        GREEDY,
    )
    executed = run_notebook(notebook, tmp_path / "out.ipynb", parameters={"run_id": 42}, env={})
    return export_html(executed, tmp_path / "report.html", title="Run <42> & more")


def test_figures_are_drawn_with_no_request_at_all(exported: Path, offline_page: GuardedPage) -> None:
    """In a real browser without network both figures have their traces, and not even greedy outputs get to ask."""
    page = offline_page.page
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(exported.as_uri())
    drawings = page.locator(".js-plotly-plot")
    expect(drawings).to_have_count(2)
    for drawing in drawings.all():
        expect(drawing.locator(".main-svg").first).to_be_visible()
        expect(drawing.locator(".scatterlayer .trace")).to_have_count(1)
        expect(drawing.locator(".barlayer .point")).to_have_count(3)
    assert offline_page.requests_made == []
    assert errors == []


def test_code_is_hidden_until_asked_for(exported: Path, offline_page: GuardedPage) -> None:
    """A button that keyboard and screen reader know shows all code, and hides it again."""
    page = offline_page.page
    page.goto(exported.as_uri())
    code = page.get_by_text("import pandas as pd", exact=False)
    expect(code).to_be_hidden()
    button = page.get_by_role("button", name="Show code")
    button.focus()
    page.keyboard.press("Enter")
    expect(code).to_be_visible()
    expect(page.get_by_role("button", name="Hide code", pressed=True)).to_be_visible()
    page.emulate_media(media="print")
    expect(code).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Hide code").click()
    expect(code).to_be_hidden()


def test_page_says_title_parameters_and_version(exported: Path, offline_page: GuardedPage) -> None:
    """Title and values are text, not markup; tables do not run scripts."""
    page = offline_page.page
    page.goto(exported.as_uri())
    assert page.title() == "Run <42> & more"
    expect(page.locator("footer")).to_contain_text("run_id = 42")
    expect(page.locator("td").first).to_have_text("<script>window.hurt = 1</script>")
    assert page.evaluate("window.hurt") is None
    assert page.locator("meta[name=generator]").get_attribute("content").startswith("ATOR ")  # type: ignore[union-attr]


def test_page_fits_a_phone(exported: Path, offline_page: GuardedPage) -> None:
    """Nothing but wide tables and code scrolls sideways."""
    page = offline_page.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(exported.as_uri())
    expect(page.locator(".main-svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_plotly_js_stands_in_the_file_once_and_only_for_figures(
    exported: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    """Two figures share one copy; a page without figures is small; the notebook itself stays small."""
    assert 4e6 < exported.stat().st_size < 6e6
    assert (tmp_path / "out.ipynb").stat().st_size < 2e5
    plain = export_html(make_notebook("1", name="plain.ipynb"), tmp_path / "plain.html", title="Plain")
    assert plain.stat().st_size < 5e4


def test_error_of_a_failed_cell_is_shown(
    make_notebook: MakeNotebook, tmp_path: Path, offline_page: GuardedPage
) -> None:
    """The page says at the top that it is incomplete, and shows the cell with code and error where it happened."""
    notebook = make_notebook("print('before')", "raise ValueError('no <good>')", "print('after')")
    with pytest.raises(NotebookError) as caught:
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={})
    page = offline_page.page
    page.goto(export_html(caught.value.notebook, tmp_path / "report.html", title="Failed").as_uri())
    expect(page.get_by_role("alert")).to_be_visible()
    failed = page.locator("#failed-cell")
    expect(failed).to_contain_text("ValueError: no <good>")
    expect(failed.get_by_text("In [2]:")).to_be_visible()
    expect(page.get_by_text("before", exact=True)).to_be_visible()


def test_earlier_report_is_replaced_and_nothing_else_is_left(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """Missing folders are made; a second export replaces the first; no temporary file stays."""
    target = tmp_path / "new" / "report.html"
    notebook = make_notebook("1")
    export_html(notebook, target, title="First")
    export_html(notebook, target, title="Second")
    assert "<title>Second</title>" in target.read_text()
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_outputs_of_other_renderers_and_widgets_do_no_harm(tmp_path: Path) -> None:
    """Widgets fall back to their text, a figure is drawn by us even if the notebook brought its own HTML."""
    outputs = [
        v4.new_output(
            "display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "bar"}
        ),
        v4.new_output(
            "display_data",
            {
                "application/vnd.plotly.v1+json": {"data": [], "layout": {}},
                "text/html": "<script src='//cdn'></script>",
            },
        ),
    ]
    source = tmp_path / "other.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("", outputs=outputs)]), source)
    text = export_html(source, tmp_path / "other.html", title="Other").read_text()
    assert "<pre>bar</pre>" in text
    assert text.count('class="report-figure"') == 1
    assert "//cdn'" not in text


def test_bad_paths_are_told(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """A missing notebook, a file that is none, and a place that cannot be written."""
    with pytest.raises(NotFoundError, match=r"nothing\.ipynb"):
        export_html(tmp_path / "nothing.ipynb", tmp_path / "r.html", title="x")
    (tmp_path / "text.ipynb").write_text("text")
    with pytest.raises(UsageError, match="not a Jupyter notebook"):
        export_html(tmp_path / "text.ipynb", tmp_path / "r.html", title="x")
    with pytest.raises(StoreError, match=r"text\.ipynb"):
        export_html(make_notebook("1"), tmp_path / "text.ipynb" / "r.html", title="x")
