from pathlib import Path

import pytest

import ator_lib as ator
from ator_lib.schema import PERCENTILE_RULE

CASES = '<testsuite name="s"><testcase name="a" time="1"/><testcase name="b" time="1"/></testsuite>'
REQUESTS = "timeStamp,elapsed,label,responseCode,success\n" + "".join(
    f"{1772352000000 + 10 * i},{10 + i % 50},/page/{i % 3},{500 if i % 10 == 0 else 200},{str(i % 10 != 0).lower()}\n"
    for i in range(900)
)
KINDS = ("timeline", "heatmap", "endpoints", "latency", "errors")


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> ator.Workspace:
    """Open a workspace of the module's own."""
    return ator.connect(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(ws: ator.Workspace) -> ator.RunHandle:
    """Take in nine seconds of requests of three endpoints, a tenth of which failed."""
    return ws.ingest(_file(ws, "load.jtl", REQUESTS), test="<b>shop</b>")


def _file(ws: ator.Workspace, name: str, text: str) -> Path:
    path = ws.data / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_has_every_picture(run: ator.RunHandle, kind: str) -> None:
    """Each is named after the run, whose name is no markup."""
    figure = run.figure(kind)  # type: ignore[arg-type]
    assert figure.data
    assert figure.layout.title.text.startswith(f"Run {run.run_id} · &lt;b&gt;shop")


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_cases_says_what_it_has_instead(ws: ator.Workspace, kind: str) -> None:
    """Nothing is drawn, and the words lead to the cases."""
    cases = ws.ingest(_file(ws, "junit.xml", CASES), test="<b>unit")
    figure = cases.figure(kind)  # type: ignore[arg-type]
    assert not figure.data
    assert figure.layout.title.text.startswith(f"Run {cases.run_id} · &lt;b&gt;unit")
    assert figure.layout.annotations[0].text == "no requests, but<br>2 test cases: see run.cases()"


def test_an_unknown_picture_names_those_that_there_are(run: ator.RunHandle) -> None:
    """A slip of the pen is answered with what to write."""
    with pytest.raises(ator.UsageError, match="there are timeline, heatmap, endpoints, latency, errors"):
        run.figure("pie")  # type: ignore[arg-type]


def test_an_interval_that_was_asked_for_is_drawn(run: ator.RunHandle) -> None:
    """Half a second each, and the axis says so."""
    figure = run.figure("timeline", interval="500ms")
    assert len(figure.data[0].x) == 18
    assert figure.layout.xaxis2.title.text == "time (UTC), in intervals of 500 ms"


def test_a_notebook_shows_the_summary_with_the_rule_once(run: ator.RunHandle) -> None:
    """The handle shows the table; failures are marked; the name is no markup."""
    shown = run._repr_html_()
    assert run.summary_table()._repr_html_() in shown
    assert shown.count(PERCENTILE_RULE) == 1
    assert "▲" in shown
    assert "<b>shop</b>" not in shown
