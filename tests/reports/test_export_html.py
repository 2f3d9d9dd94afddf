from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from playwright.sync_api import Browser, Page, expect

from ator_lib.errors import NotebookError, NotFoundError, StoreError, UsageError
from ator_lib.reports.facts import ReportFacts, facts_in
from ator_lib.reports.html import Draw, export_html
from ator_lib.reports.images import Chromium
from ator_lib.reports.notebook import run_notebook
from ator_lib.reports.secrets import Redaction
from tests.support.browser import GuardedPage, guarded_page
from tests.support.notebooks import MakeNotebook, write_notebook

FIGURE = """
import plotly.graph_objects as go
go.Figure(
    [go.Scatter(x=[1, 2, 3], y=[3, 1, 2], name="</script><b>p95"), go.Bar(x=[1, 2, 3], y=[1, 2, 3])],
    layout={"title": {"text": "Latency"}, "height": 300},
)
"""
HEAT_MAP = """
go.Figure(
    go.Heatmap(x=["2026-01-01 12:00:00", "2026-01-01 12:00:01"], y=[0, 1], z=[[1, 2], [3, None]], name="p95"),
    layout={"yaxis": {"tickvals": [0, 1], "ticktext": ["GET /a", "GET /b"]}, "title": {"text": "p95 &lt;ms&gt;"}},
)
"""
TABLE = "import pandas as pd; pd.DataFrame({'name': ['<script>window.hurt = 1</script>'], 'p95_ms': [12.5]})"
GREEDY = """
from IPython.display import HTML
HTML('<img src="http://example.com/x.png"><script src="https://cdn.example.com/x.js"></script>'
     '<link rel="stylesheet" href="https://fonts.example.com/x.css">')
"""


def exported_as(
    title: str, notebook: Path, page: Path, *, draw: Draw | None = None, secrets: Mapping[str, str] | None = None
) -> Path:
    """Export a notebook, without pictures unless there is something to draw them with."""
    about = ReportFacts(kind="notebook", title=title)
    return export_html(notebook, page, about, redaction=Redaction(secrets or {}), draw=draw)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a notebook with three figures, a table, and outputs that ask for other hosts."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = write_notebook(
        folder / "small.ipynb",
        ("markdown", "# Checkout\n\nSome *prose*, $x^2$ and ![a picture](http://example.com/y.png)."),
        ("parameters", "run_id = 1"),
        ("remove-cell", FIGURE),
        FIGURE,
        FIGURE,
        HEAT_MAP,
        TABLE,
        GREEDY,
    )
    return run_notebook(notebook, folder / "out.ipynb", parameters={"run_id": 42}, env={})


@pytest.fixture(scope="module")
def exported(executed: Path) -> Path:
    """Export it where there is no Chromium."""
    return exported_as("Run <42> & more", executed, executed.with_name("report.html"))


@pytest.fixture(scope="module")
def illustrated(executed: Path, chromium: Chromium) -> Path:
    """Export it with pictures."""
    return exported_as("Illustrated", executed, executed.with_name("illustrated.html"), draw=chromium.draw)


@pytest.fixture(scope="module")
def opened(exported: Path, browser: Browser) -> Iterator[GuardedPage]:
    """Open the page without network, once for all who look at it."""
    with guarded_page(browser, None) as guarded:
        guarded.page.add_init_script("window.errors = []; addEventListener('error', e => errors.push(e.message))")
        guarded.page.goto(exported.as_uri())
        yield guarded


def test_figures_are_drawn_with_no_request_at_all(opened: GuardedPage) -> None:
    """In a real browser without network the figures have their traces, and not even greedy outputs get to ask."""
    page = opened.page
    drawings = page.locator(".js-plotly-plot")
    expect(drawings).to_have_count(3)
    for drawing in drawings.all()[:2]:
        expect(drawing.locator(".main-svg").first).to_be_visible()
        expect(drawing.locator(".scatterlayer .trace")).to_have_count(1)
        expect(drawing.locator(".barlayer .point")).to_have_count(3)
    assert opened.requests_made == []
    assert page.evaluate("window.errors") == []


STRICT = "sandbox; default-src 'none'; img-src 'self'; style-src 'self'"
"""What Jenkins sends with the files of a build."""


def test_pictures_stand_under_a_strict_policy(illustrated: Path, page: Page) -> None:
    """A policy that allows no script, no style and no address of data still shows the figures in their colours.

    Nobody is told to switch scripts on.
    """
    headers = {"Content-Security-Policy": STRICT, "Content-Type": "text/html"}
    page.route("**/*", lambda route: route.fulfill(body=illustrated.read_text(), headers=headers))
    page.goto("http://ci.example/report.html")
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    expect(page.locator(".report-figure svg:visible")).to_have_count(3)
    expect(page.get_by_role("figure", name="p95 <ms>")).to_contain_text("GET /a")
    expect(page.get_by_text("JavaScript", exact=False)).to_have_count(0)
    bars = page.locator(".report-figure svg").first.locator("path[fill='rgb(239, 85, 59)']")
    assert bars.first.evaluate("bar => getComputedStyle(bar).fill") == "rgb(239, 85, 59)"
    assert page.locator(".report-figure").nth(2).locator("path[fill^='rgba(']").count() == 3, "cells of the heat map"


def test_numbers_stand_where_there_is_no_picture(exported: Path, browser: Browser) -> None:
    """Without a Chromium the numbers of each figure are a table, and the page says why."""
    with closing(browser.new_context(java_script_enabled=False)) as context:
        page = context.new_page()
        page.goto(exported.as_uri())
        expect(page.locator(".report-figure table:visible")).to_have_count(3)
        expect(page.get_by_role("row", name="GET /b 3.00 –")).to_be_visible()
        expect(page.locator("footer")).to_contain_text("No Chromium was found")


def test_report_is_written_when_the_pictures_fail(executed: Path, tmp_path: Path) -> None:
    """A Chromium that breaks costs the pictures only; the page says what it said."""
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho 'no <display>' >&2\nexit 1\n")
    broken.chmod(0o755)
    text = exported_as("x", executed, tmp_path / "r.html", draw=Chromium(program=str(broken)).draw).read_text()
    assert "no &lt;display&gt;" in text
    assert text.count('class="report-figure with-numbers"') == 3


def test_page_tells_programs_what_it_is_of(executed: Path, tmp_path: Path) -> None:
    """The head has the facts as JSON, whatever their text."""
    about = ReportFacts(kind="run", title='Run "1" <b>', verdict="failure", headline="it's &amp;", run_ids=(1, 2))
    page = export_html(executed, tmp_path / "r.html", about, redaction=Redaction({}))
    found = facts_in(page)
    assert found == replace(about, made_at=about.made_at.replace(microsecond=0))


def test_code_is_hidden_until_asked_for(opened: GuardedPage) -> None:
    """A button that keyboard and screen reader know shows all code, and hides it again."""
    page = opened.page
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


def test_page_says_title_parameters_and_version(opened: GuardedPage) -> None:
    """Title and values are text, not markup; tables do not run scripts."""
    page = opened.page
    assert page.title() == "Run <42> & more"
    expect(page.locator("footer")).to_contain_text("run_id = 42")
    expect(page.get_by_role("cell").first).to_have_text("<script>window.hurt = 1</script>")
    assert page.evaluate("window.hurt") is None
    assert page.locator("meta[name=generator]").get_attribute("content").startswith("ATOR ")  # type: ignore[union-attr]


def test_plotly_js_stands_in_the_file_once_and_only_for_figures(
    exported: Path, executed: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    """Three figures share one copy; a page without figures is small; the notebook itself stays small."""
    assert 4e6 < exported.stat().st_size < 6e6
    assert executed.stat().st_size < 2e5
    plain = exported_as("Plain", make_notebook("1", name="plain.ipynb"), tmp_path / "plain.html")
    assert plain.stat().st_size < 5e4


def test_error_of_a_failed_cell_is_shown(
    make_notebook: MakeNotebook, tmp_path: Path, offline_page: GuardedPage
) -> None:
    """The page says at the top that it is incomplete, and shows the cell with code and error where it happened."""
    notebook = make_notebook("print('before')", "raise ValueError('no <good>')", "print('after')")
    with pytest.raises(NotebookError) as caught:
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={})
    page = offline_page.page
    page.goto(exported_as("Failed", caught.value.notebook, tmp_path / "report.html").as_uri())
    expect(page.get_by_role("alert")).to_be_visible()
    failed = page.locator("#failed-cell")
    expect(failed).to_contain_text("ValueError: no <good>")
    expect(failed.get_by_text("In [2]:")).to_be_visible()
    expect(page.get_by_text("before", exact=True)).to_be_visible()


def test_earlier_report_is_replaced_and_nothing_else_is_left(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """Missing folders are made; a second export replaces the first; no temporary file stays."""
    target = tmp_path / "new" / "report.html"
    notebook = make_notebook("1")
    exported_as("First", notebook, target)
    exported_as("Second", notebook, target)
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
    text = exported_as("Other", source, tmp_path / "other.html").read_text()
    assert "<pre>bar</pre>" in text
    assert text.count('class="report-figure ') == 1
    assert "//cdn'" not in text


def test_bad_paths_are_told(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """A missing notebook, a file that is none, and a place that cannot be written."""
    with pytest.raises(NotFoundError, match=r"nothing\.ipynb"):
        exported_as("x", tmp_path / "nothing.ipynb", tmp_path / "r.html")
    (tmp_path / "text.ipynb").write_text("text")
    with pytest.raises(UsageError, match="not a Jupyter notebook"):
        exported_as("x", tmp_path / "text.ipynb", tmp_path / "r.html")
    with pytest.raises(StoreError, match=r"text\.ipynb"):
        exported_as("x", make_notebook("1"), tmp_path / "text.ipynb" / "r.html")
