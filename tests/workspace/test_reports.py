"""Reports of a workspace: their formats, their places, and what must not be in them."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

import ator_lib as ator
from ator_lib.errors import StoreError
from ator_lib.reports.facts import facts_in
from ator_lib.reports.index import write_index
from tests.support.histories import add_run
from tests.support.shop_runs import ingest_shop_runs

ENVIRONMENT = {"CI_JOB_TOKEN": "glpat-of-the-environment", "REPORT_DB": "postgresql://ann:pw-of-a-url@db/ator"}
ATTRIBUTES = {"api_key": "Bearer key-of-an-attribute<&>", "headers": {"Authorization": "Basic b2YtYS1oZWFkZXI="}}
ERROR = (
    "no answer: POST http://ann:pw-in-an-error@shop/login?token=token-in-an-error with Authorization: Bearer "
    "header-1n-an-error, after glpat-of-the-environment; password=word-in-an-error key-of-an-attribute<&>"
)
PLANTED = (
    *("glpat-of-the", "pw-of-a-url", "key-of-an-attribute", "b2YtYS1oZWFkZXI=", "pw-in-an-error"),
    *("token-in-an-error", "header-1n-an-error", "word-in-an-error"),
)
JUNIT = """<testsuite name="login"><testcase classname="api" name="token"><failure message="{error}">{error}</failure>
</testcase><testcase classname="api" name="logout"/></testsuite>"""


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """Open a workspace of the module's own."""
    return ator.connect(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def runs(ws: ator.Workspace, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Ingest the runs of the made-up shop: the search is slower from the sixth on."""
    return ingest_shop_runs(ws, tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def comparison(ws: ator.Workspace, runs: list[int]) -> ator.Comparison:
    """Compare the slower runs with those before."""
    return ws.compare(runs[5:], runs[:5])


@pytest.fixture(scope="module")
def leaky(ws: ator.Workspace, tmp_path_factory: pytest.TempPathFactory) -> ator.RunHandle:
    """Make a failed run with secrets in its attributes, its error and its cases."""
    error = ERROR.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    file = tmp_path_factory.mktemp("cases") / "junit.xml"
    file.write_text(JUNIT.format(error=error))
    run = ws.register(test="login", attributes=ATTRIBUTES)
    run.complete("failure", reason="requests_failed", error=ERROR)
    return ws.ingest(file, run=run)


def title_of(runs: list[int]) -> str:
    """Name the comparison of the later runs with the earlier ones."""
    before, after = (", ".join(map(str, side)) for side in (runs[:5], runs[5:]))
    return f"Runs {after} against runs {before}"


def test_json_has_all_of_a_comparison(
    ws: ator.Workspace, runs: list[int], comparison: ator.Comparison, tmp_path: Path
) -> None:
    """What the report is of, and what ``to_dict`` gives."""
    said = json.loads(ws.report(comparison, tmp_path / "c.json").read_text())
    assert said["comparison"] == json.loads(json.dumps(comparison.to_dict()))
    about = said["report"]
    assert about["title"] == title_of(runs)
    assert (about["kind"], about["test"], about["run_ids"]) == ("comparison", "shop", runs[5:])
    assert (about["verdict"], about["headline"]) == (comparison.verdict, comparison.headline)


def test_junit_fails_what_regressed(ws: ator.Workspace, comparison: ator.Comparison, tmp_path: Path) -> None:
    """A case per endpoint, failed where it regressed, with its figures; and a case per check."""
    suite = ElementTree.parse(ws.report(comparison, tmp_path / "c.xml")).getroot()[0]
    failed = {
        case.get("name"): case[0].get("message") for case in suite.iter("testcase") if case.find("failure") is not None
    }
    assert "GET /search" in failed
    assert re.search(r"p50 \+\d\d %", str(failed["GET /search"]))
    assert "GET /products" not in failed
    assert len(comparison.checks) == len([case for case in suite.iter("testcase") if case.get("classname") == "check"])


def test_markdown_shows_what_changed(ws: ator.Workspace, comparison: ator.Comparison, tmp_path: Path) -> None:
    """Title, verdict, the figures that changed, and how far it carries."""
    text = ws.report(comparison, tmp_path / "c.md").read_text()
    assert "\n**regressed**: " in text
    assert "\n| GET /search | p95 | regressed | " in text
    assert "GET /products | " not in text
    assert "2 no change" in text or "not enough evidence" in text


def test_a_run_is_reported_with_its_comparison(ws: ator.Workspace, runs: list[int], tmp_path: Path) -> None:
    """A baseline may be any word that ``compare`` takes; without one, the status is what there is to say."""
    said = json.loads(ws.report(runs[5], tmp_path / "r.json", baseline="previous:5").read_text())
    assert said["run"]["run_id"] == runs[5]
    assert [row["name"] for row in said["summaries"]] == ["/orders", "/products", "/search", None]
    assert said["comparison"]["verdict"] == said["report"]["verdict"] == "regressed"
    assert said["errors"][0]["error"] == "<b>no such order</b>"
    alone = ws.report(runs[5], tmp_path / "r.md").read_text()
    assert "**success**" in alone
    assert "\\<b\\>no such order" in alone
    assert "Percentiles are never averaged" in alone


def test_cases_of_a_run_are_those_of_its_junit(ws: ator.Workspace, leaky: ator.RunHandle, tmp_path: Path) -> None:
    """A failed run fails, and so does each of its cases that did."""
    suite = ElementTree.parse(ws.report(leaky, tmp_path / "r.xml")).getroot()[0]
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases == {"login": ["failure"], "api.token": ["failure"], "api.logout": []}
    assert "Requests failed." in ElementTree.tostring(suite, encoding="unicode")
    text = ws.report(leaky, tmp_path / "r.md").read_text()
    assert "### Cases\n\n| Status | Cases |\n| --- | --- |\n| failed | 1 |\n| passed | 1 |" in text
    assert "### Failed cases" in text


def test_a_trend_is_reported_in_every_format(ws: ator.Workspace, runs: list[int], tmp_path: Path) -> None:
    """The series that got worse and still is fails in JUnit; the change stands in the Markdown."""
    trend = ws.trend("shop", metric="p50_ms")
    said = json.loads(ws.report(trend, tmp_path / "t.json").read_text())
    assert said["trend"] == json.loads(json.dumps(trend.to_dict()))
    suite = ElementTree.parse(ws.report(trend, tmp_path / "t.xml")).getroot()[0]
    failed = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    assert failed == ["GET /search"]
    assert f"| GET /search | {runs[5]} | " in ws.report(trend, tmp_path / "t.md").read_text()


def test_no_change_in_a_report_is_none_that_was_found(tmp_path: Path) -> None:
    """The verdict is said once, and a series that nobody could look at is skipped."""
    ws = ator.connect(tmp_path)
    for number in range(20):
        known = {(f"/{n}", "GET"): 100 + (7 * number + n) % 5 for n in range(10)}
        add_run(ws.parts.engine, {**known, **({("/new", "GET"): 9.0} if number > 17 else {})}, number)
    trend = ws.trend("checkout")
    found = "none of p95 found in the 10 of 11 series that have 6 runs or more, over 20 runs"
    assert trend.headline == f"no change: {found}"
    assert f"**no change**: {found}\n" in ws.report(trend, tmp_path / "t.md").read_text()
    cases = list(ElementTree.parse(ws.report(trend, tmp_path / "t.xml")).iter("testcase"))
    assert [case.get("name") for case in cases if case.find("skipped") is not None] == ["GET /new"]
    banner = re.search(r'class="ator-banner".*?</div>', trend._repr_html_())
    assert banner
    assert banner[0].lower().count("no change") == 1


@pytest.mark.parametrize("suffix", [".json", ".xml", ".md"])
def test_no_secret_is_in_a_text(
    suffix: str, ws: ator.Workspace, leaky: ator.RunHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of the environment, nor of attributes named like one, nor of an error's own words."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    text = ws.report(leaky, tmp_path / f"report{suffix}").read_text()
    assert [secret for secret in PLANTED if secret in text] == []
    assert "***" in text.replace("\\", "")
    assert "no answer" in text


def test_no_secret_is_in_a_page(
    ws: ator.Workspace, leaky: ator.RunHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in what it shows, nor in its head, nor in the index of its folder."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    ws.report(leaky, tmp_path / "report.html")
    index = write_index(tmp_path).page
    for page in (tmp_path / "report.html", index):
        text = page.read_text()
        assert [secret for secret in PLANTED if secret in text] == []
        assert "no answer" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.pdf", r"no report is written as 'report.pdf'.*\.html.*\.json"),
        ("report", "no report is written as 'report'"),
        ("nowhere/report.html", "folder .*nowhere of the report does not exist"),
        ("folder.html", r"folder.html is a folder: name a file in it"),
    ],
)
def test_a_place_that_takes_no_report_is_told_at_once(
    name: str, said: str, ws: ator.Workspace, runs: list[int], tmp_path: Path
) -> None:
    """One sentence before anything is read or run; nothing is written."""
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ator.UsageError, match=said):
        ws.report(runs[0], tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder.html"]


def test_only_a_run_takes_a_baseline(
    ws: ator.Workspace, runs: list[int], comparison: ator.Comparison, tmp_path: Path
) -> None:
    """A comparison has its own."""
    with pytest.raises(ator.UsageError, match="only a run's report takes one"):
        ws.report(comparison, tmp_path / "c.json", baseline=runs[0])


def test_a_chromium_that_is_not_there_is_told_before_the_notebook_runs(
    runs: list[int], ws: ator.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped ATOR_CHROMIUM is an error; formats without figures do not ask for it."""
    monkeypatch.setenv("ATOR_CHROMIUM", str(tmp_path / "chrome"))
    again = ator.connect(ws.data)
    with pytest.raises(ator.UsageError, match="ATOR_CHROMIUM"):
        again.report(runs[0], tmp_path / "r.html")
    assert again.report(runs[0], tmp_path / "r.md").is_file()


def test_a_page_whose_notebook_fails_is_kept_with_it(
    tmp_path: Path, runs: list[int], comparison: ator.Comparison
) -> None:
    """The page says in its head that it failed; the notebook stands beside it, and replaces none."""
    again = ator.connect(tmp_path / "empty")  # where these runs are not
    (tmp_path / "c.ipynb").write_text("mine")
    with pytest.raises(ator.NotebookError, match=r"no run .*c\.failed\.ipynb") as caught:
        again.report(comparison, tmp_path / "c.html")
    assert caught.value.exit_code == 2
    assert caught.value.notebook == tmp_path / "c.failed.ipynb"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.failed.ipynb", "c.html", "c.ipynb", "empty"]
    about = facts_in(tmp_path / "c.html")
    assert about is not None
    assert (about.verdict, about.title) == ("failed", f"{title_of(runs)} (failed)")


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as on a disk that is full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_earlier_report(ws: ator.Workspace, comparison: ator.Comparison, tmp_path: Path) -> None:
    """The error names the file; what was there is there, and nothing half-written."""
    path = tmp_path / "report.json"
    path.write_text("earlier")
    with full_disk(1000), pytest.raises(StoreError, match=r"cannot be written to .*report\.json"):
        ws.report(comparison, path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"report.json": "earlier"}
