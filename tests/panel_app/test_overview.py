from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ator_lib.errors import StoreError
from ator_lib.model import LocationStatus, RunStatus
from panel_app.fragment import Fragment
from panel_app.pages.overview import OverviewPage, look
from tests.support.fake_workspace import FakeWorkspace, busy_workspace


def shown(page: OverviewPage) -> str:
    """Give all HTML that the page shows."""
    return "\n".join(fragment.html for fragment in page.__panel__().select(Fragment) if fragment.visible)


def refreshed(workspace: FakeWorkspace) -> OverviewPage:
    """Make a page that has read the workspace."""
    page = OverviewPage(workspace)  # type: ignore[arg-type]  # a fake
    asyncio.run(page.refresh())
    return page


def test_running_runs_show_their_progress() -> None:
    """A running run stands with users, throughput, p95 and error rate, and leads to its page."""
    html = shown(refreshed(busy_workspace()))

    assert '<a href="/run?run_id=4">Run 4</a>' in html
    for figure in ("50", "104", "83.4", "0.20 %"):
        assert f">{figure}</td>" in html


def test_gauge_tells_taken_and_capacity() -> None:
    """A location's gauge carries the exact sum, also for those who cannot see it."""
    html = shown(refreshed(busy_workspace()))

    assert 'role="meter" aria-label="lab-1" aria-valuemin="0" aria-valuemax="1"' in html
    assert 'aria-valuenow="0.85"' in html
    assert "room for a factor below 0.15" in html


@pytest.mark.parametrize(("factor", "level"), [("0.4", "calm"), ("0.7", "tight"), ("0.95", "full")])
def test_gauge_warns_when_a_location_fills_up(factor: str, level: str) -> None:
    """The gauge has a level of its own near capacity."""
    workspace = FakeWorkspace({"lab-1": "1"})
    workspace.add(factor=Decimal(factor))

    assert f'class="gauge {level}"' in shown(refreshed(workspace))


def test_location_without_capacity_is_full() -> None:
    """A location of capacity 0 can be shown."""
    html = shown(refreshed(FakeWorkspace({"closed": "0"})))

    assert 'class="gauge full"' in html
    assert "room" not in html


def queued_workspace(waiting: int) -> FakeWorkspace:
    """Make a location with 0.9 held by run 1, and runs from 2 on that wait for it."""
    workspace = FakeWorkspace({"lab-1": "1"})
    workspace.add(test="checkout", factor=Decimal("0.9"))
    for _ in range(waiting):
        workspace.add(test="search", status=RunStatus.QUEUED, start_time=None)
    return workspace


@pytest.mark.parametrize(("waiting", "words"), [(1, "1 running · 1 waits"), (2, "1 running · 2 wait")])
def test_where_others_wait_no_room_is_promised(waiting: int, words: str) -> None:
    """Who comes now would be refused, whatever its factor: the gauge counts those who wait."""
    html = shown(refreshed(queued_workspace(waiting)))

    assert words in html
    assert "room" not in html


@pytest.mark.parametrize("status", [LocationStatus.DRAINING, LocationStatus.OFFLINE])
def test_location_that_takes_nobody_promises_no_room(status: LocationStatus) -> None:
    """Its status stands in the place of the room."""
    workspace = busy_workspace()
    workspace.statuses["lab-1"] = status
    html = shown(refreshed(workspace))

    assert f"2 running · <strong>{status}</strong>" in html
    assert html.count("room for a factor below") == 1  # at lab-2


def test_queue_tells_behind_whom_and_until_when() -> None:
    """A row per queued run: position, links to it and to those ahead, the estimate and what it rests on."""
    workspace = queued_workspace(2)
    workspace.starts[3] = datetime(2020, 1, 31, 12, tzinfo=UTC)
    html = shown(refreshed(workspace))
    first, second = (html.split(f'<tr id="queued-{run_id}">')[1].split("</tr>")[0] for run_id in (2, 3))

    assert ('class="n">1</td>' in first, 'class="n">2</td>' in second) == (True, True)
    assert '<a href="/run?run_id=2">Run 2</a>' in first
    assert all(f">{cell}</td>" in first for cell in ("search", "lab-1", "0.4"))
    assert 'unknown <span class="reason">no history of &#39;checkout&#39;</span>' in first
    assert '<a href="/run?run_id=1">Run 1</a>, <a href="/run?run_id=2">Run 2</a>' in second
    assert "2020-01-31 12:00:00 <span" in second


def test_many_ahead_are_counted() -> None:
    """A long queue does not fill the page with the numbers of all."""
    html = shown(refreshed(queued_workspace(6)))

    assert "Run 3</a> and 3 more" in html


def test_without_a_queue_there_is_no_table_of_it() -> None:
    """Nobody waits: nothing is shown."""
    assert "Queue" not in shown(refreshed(busy_workspace()))


def test_empty_workspace_says_what_to_do_next() -> None:
    """Nothing there yet: the page names the commands that change that."""
    html = shown(refreshed(FakeWorkspace()))

    assert "ator demo" in html
    assert "ator run" in html
    assert "<table" not in html


def test_texts_are_escaped() -> None:
    """A name with HTML in it is shown as it was written."""
    workspace = FakeWorkspace({"<b>lab</b>": "1"})
    workspace.add(test="<script>alert(1)</script>", stream='"><img src=x>', location="<b>lab</b>")

    html = shown(refreshed(workspace))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not any(tag in html for tag in ("<script", "<img", "<b>"))


def test_only_changes_are_sent() -> None:
    """An equal look sends nothing to the browser; a run that starts changes what shows it."""
    workspace = FakeWorkspace({"lab-1": "1"})
    workspace.add(status=RunStatus.SUCCESS)
    page = OverviewPage(workspace)  # type: ignore[arg-type]
    page.display(look(workspace))  # type: ignore[arg-type]
    sent: list[str] = []
    for fragment in page.__panel__().select(Fragment):
        fragment.param.watch(lambda event: sent.append(event.new), ["html", "visible"])

    page.display(look(workspace))  # type: ignore[arg-type]
    sent_for_nothing = list(sent)
    workspace.add(test="checkout")
    page.display(look(workspace))  # type: ignore[arg-type]

    assert sent_for_nothing == []
    assert len([html for html in sent if "checkout" in html]) == 2


def test_run_that_has_ended_is_not_running() -> None:
    """It leaves the running ones and shows its status among the latest."""
    workspace = FakeWorkspace()
    run = workspace.add(test="checkout")
    workspace.change(run.run_id, status=RunStatus.SUCCESS, end_time=run.start_time)

    html = shown(refreshed(workspace))

    assert "No run is running." in html
    assert '<span class="badge success">success</span>' in html


def test_store_that_cannot_be_read_is_told_and_tried_again() -> None:
    """A failing store shows its message, escaped, and the page recovers by itself."""
    workspace = busy_workspace()
    workspace.failing = StoreError("the database <data/ator.db> is locked")
    page = refreshed(workspace)
    told = shown(page)
    workspace.failing = None
    asyncio.run(page.refresh())

    assert "the database &lt;data/ator.db&gt; is locked" in told
    assert "is locked" not in shown(page)
    assert "Run 4" in shown(page)


def test_unexpected_error_is_told_without_internals() -> None:
    """A fault of ours is logged; the page says so in general words."""
    workspace = busy_workspace()
    workspace.failing = ZeroDivisionError("secret internals")

    told = shown(refreshed(workspace))

    assert "unexpected error" in told
    assert "secret internals" not in told


def test_open_pages_share_one_look() -> None:
    """Ten pages that refresh at once read the workspace far fewer than ten times."""
    workspace = busy_workspace()
    pages = [OverviewPage(workspace) for _ in range(10)]  # type: ignore[arg-type]

    async def refresh_all() -> None:
        await asyncio.gather(*(page.refresh() for page in pages))

    asyncio.run(refresh_all())

    assert workspace.looks < 10
    assert all("Run 4" in shown(page) for page in pages)
