"""The overview over a real workspace; figures of runs and their verdicts are made up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import panel as pn
import pytest
from sqlalchemy import event

import ator_lib as ator
from ator_lib.analysis.verdicts import METHOD_VERSION
from ator_lib.model import LoadProfile, LocationStatus, Progress, Run, RunRequest, RunVerdict
from ator_lib.registry.verdicts import Verdicts
from panel_app import snapshot
from panel_app.code import as_script
from panel_app.fragment import Fragment
from panel_app.pages.overview import CARDS, OverviewPage
from tests.panel_app.conftest import VIEWER, refreshed, shown
from tests.support.histories import add_run

NOW = datetime.now(UTC)


def opened(ws: ator.Workspace) -> OverviewPage:
    """Open the page; it has read the workspace."""
    return refreshed(OverviewPage(ws, VIEWER))


def card(page: OverviewPage, name: str) -> str:
    """Give the HTML of one card."""
    html: str = dict(zip(CARDS, page.parts(), strict=True))[name].html
    return html


def row(html: str, row_id: str) -> str:
    """Give a row of a table."""
    return html.split(f'<tr id="{row_id}">')[1].split("</tr>")[0]


def add_running(ws: ator.Workspace, *points: Mapping[str, Any], planned_s: float | None = None) -> Run:
    """Start a run of 50 users whose heartbeats tell these points."""
    load = LoadProfile(users=50, run_time_s=planned_s)
    request = RunRequest(test="checkout", stream="main", location="lab-2", factor=Decimal("0.4"), load_profile=load)
    run = ws.parts.registry.register(request, lease_s=600)
    for point in points:
        told = Progress(**{"requests": 1000, "failures": 2, "users": 50, **point})
        ws.parts.registry.renew(run.run_id, run.lease_id or "", lease_s=600, progress=told)
    return run


def add_ended(ws: ator.Workspace, *, days_ago: float = 1, **run: Any) -> int:
    """Add a run of 40 s that has ended, with a p95 of 83.4 ms."""
    start = NOW - timedelta(days=days_ago)
    times = {"start_time": start, "end_time": start + timedelta(seconds=40)}
    return add_run(ws.parts.engine, {(None, None): 83.4}, **{**times, "stream": "main", "location": "lab-1", **run})


def judge(ws: ator.Workspace, run_id: int, verdict: str | None, *baseline: int, headline: str = "") -> None:
    """Keep a verdict."""
    made = RunVerdict(
        run_id=run_id,
        baseline_run_ids=baseline,
        verdict=verdict,
        headline=f"{verdict}: {headline}" if verdict else headline,
        judged_at=NOW,
    )
    assert Verdicts(ws.parts.engine, METHOD_VERSION).keep(made, pinned=None)


# --- running ---


def test_a_running_run_shows_how_far_it_is_and_how_it_goes(ws: ator.Workspace) -> None:
    """Its share of the planned time, users, throughput, p95, error rate and their course; and the way to its page."""
    add_running(
        ws,
        {"elapsed_s": 28, "throughput_rps": 90.0, "p95_ms": 70.0},
        {"elapsed_s": 30, "throughput_rps": 104.2, "p95_ms": 83.4},
        planned_s=120,
    )
    html = row(card(opened(ws), "running"), "running-1")

    assert '<a href="/run?run_id=1">Run 1</a>' in html
    assert 'aria-valuenow="25.0"' in html
    assert "30 s of 2 min 00 s" in html
    assert all(f">{figure}</" in html for figure in ("50", "104", "83.4", "0.20 %"))
    assert re.findall(r'<svg class="spark"[^>]*aria-label="([^"]*)"', html) == [
        "Requests per second in the last two minutes",
        "p95 in the last two minutes",
    ]


def test_the_course_is_of_the_last_minutes(ws: ator.Workspace) -> None:
    """What is drawn does not grow with the run."""
    add_running(ws, *({"elapsed_s": second, "throughput_rps": float(second)} for second in (2, 100, 130, 200)))

    (run,) = snapshot.look(ws).running
    assert run["throughput"] == [100.0, 130.0, 200.0]


def test_a_run_without_a_planned_end_has_no_bar(ws: ator.Workspace) -> None:
    """Nor one that nobody measures; how long it has been running is told of both."""
    add_running(ws, {"elapsed_s": 200})
    ws.register(test="by hand")
    html = card(opened(ws), "running")

    assert "progressbar" not in html
    assert "3 min 20 s</span>" in row(html, "running-1")
    assert re.search(r"\d\.\d s</span>", row(html, "running-2"))
    assert "<svg" not in html


def test_a_run_beyond_its_plan_is_full(ws: ator.Workspace) -> None:
    """The bar stays in its frame."""
    add_running(ws, {"elapsed_s": 500}, planned_s=120)

    assert 'aria-valuenow="100"' in card(opened(ws), "running")


def test_a_run_that_is_asked_to_stop_says_so(ws: ator.Workspace) -> None:
    """It is running until it has stopped."""
    run = add_running(ws, {"elapsed_s": 10})
    ws.parts.registry.supervise(run.run_id, {"host": "elsewhere", "pid": "1", "started": "1"})
    ws.cancel(run.run_id)

    assert "asked to stop" in row(card(opened(ws), "running"), "running-1")


def test_a_run_that_was_deleted_meanwhile_is_shown_without_its_course(ws: ator.Workspace) -> None:
    """The list is of a moment earlier than the look at each of its runs."""
    gone = {"run_id": 77, "elapsed_s": None, "start_time": NOW - timedelta(seconds=60)}

    course = snapshot._course(ws, gone, NOW)
    assert (course["elapsed_s"], course["planned_s"], course["throughput"]) == (60.0, None, [])


def test_many_running_runs_are_counted(ws: ator.Workspace) -> None:
    """The first ones are shown, and where the others are."""
    for _ in range(snapshot.MOST_SHOWN + 2):
        ws.register(test="by hand")
    page = opened(ws)

    assert card(page, "running").count("<tr id=") == snapshot.MOST_SHOWN
    assert '<a href="/runs?status=running">2 more</a>' in card(page, "running")
    assert f'<span class="value">{snapshot.MOST_SHOWN + 2}</span>' in card(page, "tiles")


# --- locations and the queue ---


def test_a_gauge_tells_taken_and_capacity(ws: ator.Workspace) -> None:
    """A location's gauge carries the exact sum, also for those who cannot see it."""
    ws.locations.add("lab-1", capacity=1)
    ws.register(location="lab-1", factor="0.4")
    ws.register(location="lab-1", factor="0.45")
    html = card(opened(ws), "gauges")

    assert 'role="meter" aria-label="lab-1" aria-valuemin="0" aria-valuemax="1"' in html
    assert 'aria-valuenow="0.85"' in html
    assert "room for a factor below 0.15" in html


@pytest.mark.parametrize(("factor", "level"), [("0.4", "calm"), ("0.7", "tight"), ("0.95", "full")])
def test_a_gauge_warns_when_a_location_fills_up(ws: ator.Workspace, factor: str, level: str) -> None:
    """The gauge has a level of its own near capacity."""
    ws.register(location="lab-1", factor=factor)

    assert f'class="gauge {level}"' in card(opened(ws), "gauges")


def test_a_location_with_more_than_its_capacity_is_full(ws: ator.Workspace) -> None:
    """What runs goes on when the capacity is lowered; the bar stays in its frame, and no room is promised."""
    ws.register(location="lab-1", factor="0.9")
    ws.locations.change("lab-1", capacity="0.5")
    html = card(opened(ws), "gauges")

    assert 'class="gauge full"' in html
    assert 'style="width: 100.0%"' in html
    assert "room" not in html


@pytest.mark.parametrize("status", [LocationStatus.DRAINING, LocationStatus.OFFLINE])
def test_a_location_that_takes_nobody_promises_no_room(ws: ator.Workspace, status: LocationStatus) -> None:
    """Its status stands in the place of the room."""
    ws.locations.add("lab-1", status=status)
    html = card(opened(ws), "gauges")

    assert f"0 running · <strong>{status}</strong>" in html
    assert "room" not in html


def queue_up(ws: ator.Workspace, waiting: int) -> None:
    """Let run 1 hold 0.9 of a location, and runs from 2 on wait for it."""
    ws.register(test="checkout", location="lab-1", factor="0.9")
    for _ in range(waiting):
        ws.parts.registry.enqueue(RunRequest(test="search", location="lab-1", factor=Decimal("0.4")), queue_lease_s=600)


@pytest.mark.parametrize(("waiting", "words"), [(1, "1 running · 1 waits"), (2, "1 running · 2 wait")])
def test_where_others_wait_no_room_is_promised(ws: ator.Workspace, waiting: int, words: str) -> None:
    """Who comes now would be refused, whatever its factor: the gauge counts those who wait."""
    queue_up(ws, waiting)
    html = card(opened(ws), "gauges")

    assert words in html
    assert "room" not in html


def test_the_queue_tells_behind_whom_and_until_when(ws: ator.Workspace) -> None:
    """A row per queued run: position, links to it and to those ahead, the estimate and what it rests on."""
    add_ended(ws, test="checkout")
    ws.register(test="checkout", location="lab-1", factor="0.9")
    for test, factor in (("checkout", "0.4"), ("search", "0.9"), ("last", "0.4")):
        ws.parts.registry.enqueue(RunRequest(test=test, location="lab-1", factor=Decimal(factor)), queue_lease_s=600)
    html = card(opened(ws), "queue")
    first, last = row(html, "queued-3"), row(html, "queued-5")

    assert ('class="n">1</td>' in first, 'class="n">3</td>' in last) == (True, True)
    assert '<a href="/run?run_id=3">Run 3</a>' in first
    assert re.search(r'<time datetime="[^"]*Z">[^<]*</time> <span class="reason">by the last runs', first)
    assert "Run 2</a>, " in last
    assert 'unknown <span class="reason">no history of &#39;search&#39;</span>' in last


def test_many_ahead_are_counted(ws: ator.Workspace) -> None:
    """A long queue does not fill the page with the numbers of all."""
    queue_up(ws, 6)

    assert "Run 3</a> and 3 more" in card(opened(ws), "queue")


def test_without_a_queue_there_is_no_table_of_it(ws: ator.Workspace) -> None:
    """Nobody waits: nothing is shown but the tile."""
    page = opened(ws)

    assert card(page, "queue") == ""
    assert "nobody waits" in card(page, "tiles")


# --- verdicts ---


def test_a_regression_tells_what_by_how_much_and_since_when(ws: ator.Workspace) -> None:
    """With the way to the run since which it is so, to the baseline, and to the comparison that says why."""
    baseline, worse = (add_ended(ws, days_ago=days) for days in (4, 3))
    judge(ws, worse, "regressed", baseline, headline="GET /search p95 +62 % (51 % … 75 %)")
    page = opened(ws)
    html = row(card(page, "regressions"), f"regressed-{worse}")

    assert "GET /search p95 +62 % (51 % … 75 %)" in html
    assert f'<a href="/run?run_id={worse}">Run {worse}</a> <span class="reason"><time' in html
    assert f'<a href="/run?run_id={baseline}">Run {baseline}</a>' in html
    assert f'<a href="/compare?run={worse}&amp;baseline={baseline}">Compare</a>' in html
    assert "in checkout" in card(page, "tiles")
    assert 'class="tile bad" href="#regressed"' in card(page, "tiles")


def test_runs_that_are_worse_than_the_same_baseline_are_one_regression(ws: ator.Workspace) -> None:
    """It is told by the latest run, and since the first; another test, stream or baseline is another one."""
    baseline, first, then, latest, other = (add_ended(ws, days_ago=days) for days in (6, 5, 4, 3, 2))
    elsewhere = add_ended(ws, days_ago=3.5, stream="release")
    for run_id in (first, then, latest, elsewhere):
        judge(ws, run_id, "regressed", baseline, headline=f"run {run_id} is slower")
    judge(ws, other, "regressed", latest, headline="even slower")
    html = card(opened(ws), "regressions")

    assert re.findall(r'<tr id="regressed-(\d+)">', html) == [str(run) for run in (other, latest, elsewhere)]
    told = row(html, f"regressed-{latest}")
    assert f"run {latest} is slower" in told
    assert f"Run {first}</a>" in told
    assert ", 3 runs</span>" in told


def test_what_regressed_earlier_is_no_news(ws: ator.Workspace) -> None:
    """It stands among the latest verdicts, and nothing regressed this week."""
    baseline, worse = (add_ended(ws, days_ago=days) for days in (20, 10))
    judge(ws, worse, "regressed", baseline, headline="slower")
    page = opened(ws)

    assert "Nothing regressed this week." in card(page, "regressions")
    assert "nothing got worse" in card(page, "tiles")
    assert '<span class="badge regressed">regressed</span>' in card(page, "verdicts")


def test_verdicts_say_what_was_compared_with_what(ws: ator.Workspace) -> None:
    """The latest run first; one that had nothing to be compared with says that, and leads to no comparison."""
    first, second = (add_ended(ws, days_ago=days) for days in (2, 1))
    judge(ws, first, None, headline="no earlier run to compare with")
    judge(ws, second, "no change", first, headline="every change is below 5 %")
    html = card(opened(ws), "verdicts")

    assert re.findall(r'<tr id="judged-(\d+)">', html) == [str(second), str(first)]
    assert '<span class="badge no-change">no change</span>' in row(html, f"judged-{second}")
    assert ">every change is below 5 %</span>" in row(html, f"judged-{second}")
    assert f"/compare?run={second}&amp;baseline={first}" in row(html, f"judged-{second}")
    assert "not judged" in row(html, f"judged-{first}")
    assert "/compare" not in row(html, f"judged-{first}")


# --- what ran ---


def test_latest_runs_are_those_that_have_ended(ws: ator.Workspace) -> None:
    """With their figures; what runs has its own table. The tile counts failed ones of this week, and leads to them."""
    old = add_ended(ws, days_ago=30, status="failure")
    failed = add_ended(ws, status="failure", status_reason="requests_failed")
    add_running(ws)
    page = opened(ws)
    html = card(page, "latest")

    assert re.findall(r'<tr id="latest-(\d+)">', html) == [str(failed), str(old)]
    told = row(html, f"latest-{failed}")
    assert '<span class="badge failure">failure</span> <span class="reason">requests failed</span>' in told
    assert ">40 s</td>" in told
    assert ">83.4</td>" in told
    week_ago = (datetime.now(UTC) - timedelta(days=7)).date()
    (tile,) = re.findall(r"<a [^>]*>(?:(?!</a>).)*Failed this week.*?</a>", card(page, "tiles"))
    assert f'href="/runs?status=failure&amp;since={week_ago}"' in tile
    assert '<span class="value">1</span>' in tile
    assert "of 2 runs" in card(page, "tiles")


def test_a_run_that_has_ended_is_not_running(ws: ator.Workspace) -> None:
    """It leaves the running ones and shows its status among the latest."""
    run = ws.register(test="checkout")
    before = card(opened(ws), "latest")
    run.complete("success")
    pn.state.cache.clear()
    page = opened(ws)

    assert "No run has ended yet." in before
    assert "No run is running." in card(page, "running")
    assert '<span class="badge success">success</span>' in card(page, "latest")


def test_an_empty_workspace_says_what_to_do_next(ws: ator.Workspace) -> None:
    """Nothing there yet: the page names the commands that change that."""
    html = shown(opened(ws))

    assert "ator demo" in html
    assert "ator run" in html
    assert "No run has been judged yet." in html
    assert "<table" not in html
    assert html.count("<h1") == 1


# --- all of it ---


def test_texts_are_escaped(ws: ator.Workspace) -> None:
    """A name with HTML in it is shown as it was written."""
    evil = "<script>alert(1)</script>"
    ws.register(test=evil, stream='"><img src=x>', location="<b>lab</b>")
    run_id = add_ended(ws, test=evil, stream="<b>", location="<b>", tool="<b>", status_reason="<b>")
    judge(ws, run_id, "regressed", 1, headline=evil)

    html = shown(opened(ws))

    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert not any(tag in html for tag in ("<script", "<img", "<b>"))


def test_only_changes_are_sent(ws: ator.Workspace) -> None:
    """An equal look sends nothing to the browser; a run that comes in changes the cards that tell of it."""
    add_ended(ws)
    page = opened(ws)
    sent: list[str] = []
    for name, fragment in zip(CARDS, page.parts(), strict=True):
        assert isinstance(fragment, Fragment)
        fragment.param.watch(lambda _, name=name: sent.append(name), ["html", "visible"])

    pn.state.cache.clear()
    asyncio.run(page.refresh())
    sent_for_nothing = list(sent)
    add_ended(ws)
    pn.state.cache.clear()
    asyncio.run(page.refresh())

    assert sent_for_nothing == []
    assert sent == ["tiles", "latest"]


def test_open_pages_share_one_look(ws: ator.Workspace) -> None:
    """Ten pages that refresh at once ask the database not ten times as often as one."""
    add_running(ws)
    asked: list[str] = []
    event.listen(ws.parts.engine, "before_cursor_execute", lambda *details: asked.append(details[2]))
    snapshot.look(ws)
    by_one_look = len(asked)
    pages = [OverviewPage(ws, VIEWER) for _ in range(10)]

    async def refresh_all() -> None:
        await asyncio.gather(*(page.refresh() for page in pages))

    asyncio.run(refresh_all())

    assert by_one_look <= len(asked) - by_one_look < 10 * by_one_look
    assert all("Run 1" in shown(page) for page in pages)


def test_the_code_gives_what_is_shown(ws: ator.Workspace) -> None:
    """As it stands there, in any notebook."""
    baseline, worse = (add_ended(ws, days_ago=days) for days in (4, 3))
    judge(ws, worse, "regressed", baseline, headline="slower")
    add_ended(ws, status="failure")
    queue_up(ws, 2)
    add_running(ws)
    page = opened(ws)
    content, names = page.read(), dict[str, Any]()
    seen = content.snapshot
    exec(as_script(ws, page.code(content)), names)

    for name, rows in (("running", seen.running), ("queue", seen.queue), ("verdicts", seen.verdicts)):
        assert names[name]["run_id"].tolist() == [told["run_id"] for told in rows]
    assert names["regressed"]["run_id"].tolist() == [told["run_id"] for told in seen.regressions]
    assert names["latest"]["p95_ms"].tolist() == [told["p95_ms"] for told in seen.latest]
    assert names["locations"]["name"].tolist() == [gauge["name"] for gauge in seen.gauges]
    assert (names["begun"], names["failed"]) == (seen.begun, seen.failed)
    names["ws"].parts.engine.dispose()
