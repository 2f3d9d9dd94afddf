from pathlib import Path

import pandas as pd
import pytest

import ator_lib as ator
from ator_lib.schema import PERCENTILE_RULE

CASES = '<testsuite name="s"><testcase name="a" time="1"/><testcase name="b" time="1"/></testsuite>'
REQUESTS = "timeStamp,elapsed,label,responseCode,success\n" + "".join(
    f"{1772352000000 + 10 * i},{10 + i % 50},/page/{i % 3},{500 if i % 10 == 0 else 200},{str(i % 10 != 0).lower()}\n"
    for i in range(900)
)
KINDS = ("timeline", "heatmap", "endpoints", "latency", "distribution", "errors")


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
    with pytest.raises(ator.UsageError, match="there are timeline, heatmap, endpoints, latency, distribution, errors"):
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


def test_a_part_of_the_run_is_drawn_finer(run: ator.RunHandle) -> None:
    """With exactly the requests that started in it; the rate of a cut interval is that of what lies in it."""
    figure = run.figure("timeline", since=2.05, until=4)
    assert figure.layout.xaxis2.title.text == "time (UTC), in intervals of 500 ms"
    samples = run.samples(["started_at", "duration_ms"])
    start = samples["started_at"].min()
    requests, failures = figure.data[0], figure.data[1]
    assert (requests.name, failures.name) == ("requests", "failures")
    assert requests.y == pytest.approx([100.0] * len(requests.y), rel=0.1)
    assert requests.x[-1] < (start + pd.Timedelta(seconds=4)).to_datetime64()
    inside = samples[samples["started_at"] >= start + pd.Timedelta(seconds=2.05)]
    p99 = next(trace for trace in figure.data if trace.name == "p99")
    assert max(p99.y) <= inside["duration_ms"].max()


def test_figures_of_summaries_take_a_part_too(run: ator.RunHandle) -> None:
    """Those of what is kept of the whole run alone say so."""
    part = run.summary(since=0, until=0.5)
    total = next(trace for trace in run.figure("latency", since=0, until=0.5).data if trace.name == "total")
    assert total.y[0] == part["p50_ms"].iloc[-1]
    for kind in ("distribution", "errors"):
        with pytest.raises(ator.UsageError, match="is of the whole run"):
            run.figure(kind, since=1)  # type: ignore[arg-type]


def test_a_part_without_a_request_says_so(run: ator.RunHandle) -> None:
    """Before the run, after it, or from a moment to itself."""
    for since, until in ((100, None), (3, 3)):
        figure = run.figure("timeline", since=since, until=until)
        assert figure.layout.annotations[0].text == "no requests in this part of the run"


def test_the_distribution_is_of_the_endpoints_that_are_named(run: ator.RunHandle) -> None:
    """By their labels; without any it is the total's."""
    named = run.figure("distribution", endpoints=["/page/1", "total"])
    assert [trace.name for trace in named.data if trace.mode == "lines"] == ["/page/1", "total"]
    assert run.figure("distribution", endpoints="/page/1") == run.figure("distribution", endpoints=["/page/1"])
    with pytest.raises(ator.UsageError, match="leave endpoints out"):
        run.figure("timeline", endpoints=["/page/1"])
    with pytest.raises(ator.UsageError, match="no endpoint /page/9: there are /page/0, /page/1, /page/2, total"):
        run.figure("distribution", endpoints=["/page/9"])
