"""The bundled notebooks on a real store, after real load."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

import ator_lib as ator
from ator_lib.schema import PERCENTILE_RULE
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace
from tests.support.browser import GuardedPage

LOCUSTFILE = """
from locust import FastHttpUser, constant, task

class Visitor(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def products(self):
        self.client.get("/products")

    @task
    def missing(self):
        with self.client.get("/nowhere", catch_response=True) as answer:
            answer.success() if {fine} else answer.failure("no <b>such</b> page")
"""


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """Open a workspace of the module's own."""
    return ator.connect(tmp_path_factory.mktemp("data"))


def execute(ws: ator.Workspace, address: str, name: str, *, fine: bool, **parameters: object) -> Path:
    """Put 2 s of load on the shop with the execute_run notebook, kept under a name."""
    locustfile = ws.data / f"locustfile_{fine}.py"
    locustfile.write_text(LOCUSTFILE.replace("{fine}", str(fine)))
    given = {"locustfile": locustfile, "host": address, "users": 4, "run_time": "2s", **parameters}
    return ws.notebook("execute_run", ws.data / f"{name}.ipynb", parameters=given)


def latest(ws: ator.Workspace) -> ator.RunHandle:
    """Return the run that was made last."""
    return ws.get(int(ws.history(limit=1)["run_id"].iloc[0]))


@pytest.fixture(scope="module")
def good_run(ws: ator.Workspace, target: str) -> ator.RunHandle:
    """Execute a run without errors."""
    execute(ws, target, "good", fine=True, test="shop", location="lab-1", factor="0.4", environment="ci")
    return latest(ws)


@pytest.fixture(scope="module")
def bad_run(ws: ator.Workspace, target: str, good_run: ator.RunHandle) -> ator.RunHandle:
    """Execute a run whose requests fail, with a test name that tries to be markup."""
    name = '<img src="http://example.com/x.png" onerror="window.hurt = 1">'
    with pytest.raises(ator.NotebookError, match=r"RuntimeError: run \d+ is failure") as caught:
        execute(ws, target, "bad", fine=False, test=name, baseline=good_run.run_id)
    assert caught.value.exit_code == 1
    assert caught.value.notebook == ws.data / "bad.ipynb"
    return latest(ws)


def figures(notebook: Path) -> int:
    """Count the plotly figures in an executed notebook."""
    cells = nbformat.read(notebook, as_version=4).cells
    return sum("application/vnd.plotly.v1+json" in out.get("data", {}) for c in cells for out in c.get("outputs", []))


def test_execute_run_registers_executes_and_draws(ws: ator.Workspace, good_run: ator.RunHandle) -> None:
    """The notebook's parameters are the run's; its figures are in the small notebook."""
    assert good_run.status == "success"
    record = good_run.record
    assert (record.test, record.location, str(record.factor), record.environment) == ("shop", "lab-1", "0.4", "ci")
    assert record.load_profile is not None
    assert record.load_profile.users == 4
    assert figures(ws.data / "good.ipynb") == 2
    assert (ws.data / "good.ipynb").stat().st_size < 300_000


def test_a_failed_run_fails_the_notebook_after_its_figures(ws: ator.Workspace, bad_run: ator.RunHandle) -> None:
    """A pipeline notices, and finds errors, comparison and the reason in the notebook that is kept."""
    assert bad_run.status == "failure"
    assert figures(ws.data / "bad.ipynb") == 4


def test_on_postgresql(target: str, postgres_url: str, tmp_path: Path) -> None:
    """The kernel finds registry and results of a team's database, and keeps the run there."""
    ws = open_workspace(load_settings(data=tmp_path, database_url=postgres_url, results="postgres"))
    execute(ws, target, "team", fine=True, test="shop")
    assert figures(tmp_path / "team.ipynb") == 2
    assert len(latest(ws).samples()) > 0
    assert list(tmp_path.glob("results/*/samples.parquet")) == []


def test_report_compares_two_runs(
    ws: ator.Workspace,
    good_run: ator.RunHandle,
    bad_run: ator.RunHandle,
    offline_page: GuardedPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Verdict, reason, rule, errors and five drawn figures; nothing is asked of any host, and names stay text."""
    page = offline_page.page
    monkeypatch.setenv("PATH", "")  # nothing draws the pictures, which this does not look at
    report = ws.report(bad_run, ws.data / "report.html", baseline=good_run)
    page.goto(report.as_uri())
    expect(page.locator(".ator-banner").nth(1)).to_contain_text('<img src="http://example.com/x.png"')
    verdict = ws.compare(bad_run, good_run).verdict
    expect(page.locator(".ator-banner b").first).to_contain_text(verdict)
    expect(page.get_by_text("Requests failed.", exact=False)).to_be_visible()
    expect(page.get_by_text(PERCENTILE_RULE)).to_be_visible()
    expect(page.get_by_role("cell", name="no <b>such</b> page")).to_be_visible()
    expect(page.get_by_role("heading", name="Compared with the baseline")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg:first-child")).to_have_count(5)
    assert page.evaluate("window.hurt") is None
    assert offline_page.requests_made == []


def test_report_of_a_run_without_results(ws: ator.Workspace, offline_page: GuardedPage) -> None:
    """A run that something else executed has a report, too: its facts and why it ended."""
    run = ws.register(test="by hand")
    ws.complete(run.run_id, "failure", reason="nobody knows")
    offline_page.page.goto(ws.report(run, ws.data / "empty.html").as_uri())
    expect(offline_page.page.get_by_text("Nobody knows.", exact=False)).to_be_visible()
    expect(offline_page.page.get_by_text("There are no requests.", exact=True).first).to_be_visible()
