"""What all pages do, by a small one."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import param

import ator_lib as ator
from ator_lib.errors import StoreError
from panel_app.fragment import Fragment
from panel_app.page import Page
from tests.panel_app.conftest import VIEWER, refreshed, shown
from tests.support.served import PATIENCE_S


class CountingPage(Page):
    """Counts runs."""

    PATH = "/counting"
    TITLE = "Counting"

    test = param.String(default="")
    limit = param.Integer(default=10, bounds=(1, 100))
    run = param.List(default=[], item_type=int)

    def __init__(self, workspace: ator.Workspace) -> None:
        super().__init__(workspace, VIEWER)
        self.threads: list[int] = []
        self.failing: Exception | None = None
        self.may_read = threading.Event()
        self.may_read.set()
        self._count = Fragment()

    def parts(self) -> list[Any]:
        return [self._count]

    def read(self) -> int:
        self.threads.append(threading.get_ident())
        self.may_read.wait(PATIENCE_S)
        if self.failing is not None:
            raise self.failing
        return self.workspace.count(test=self.test or None)

    def display(self, content: int) -> None:
        self._count.display(f"<p>{content} runs</p>")

    def code(self, content: int) -> str:
        return f"ws.count()  # {content}" if content else ""


# --- its state ---


def test_the_state_is_what_the_page_itself_declares(ws: ator.Workspace) -> None:
    """Nothing of what Panel adds; it stands in the query unless it is as by default."""
    page = CountingPage(ws)

    assert page.state_names() == ["test", "limit", "run"]
    assert page.query == "?"
    page.param.update(test="a b", run=[3, 4])
    assert page.query == "?test=a+b&run=3&run=4"


def test_a_link_is_the_same_view_with_a_change(ws: ator.Workspace) -> None:
    """The page stays as it is."""
    page = CountingPage(ws)
    page.test = "checkout"

    assert page.link(limit=5) == "?test=checkout&limit=5"
    assert page.link(test="") == "?"
    assert page.query == "?test=checkout"


def test_a_form_carries_the_rest_of_the_state(ws: ator.Workspace) -> None:
    """What it has fields of its own for is not doubled."""
    page = CountingPage(ws)
    page.param.update(test="checkout", run=[3, 4], limit=5)

    assert page.kept("limit") == [("test", "checkout"), ("run", "3"), ("run", "4")]


def test_going_somewhere_takes_the_whole_state_from_there(ws: ator.Workspace) -> None:
    """What the address does not name is as by default again: the back button gives the view that was."""
    page = CountingPage(ws)
    page.go("?test=checkout&limit=5")
    page.go("?run=3")

    assert (page.test, page.limit, page.run) == ("", 10, [3])


def test_what_cannot_be_used_of_an_address_is_told(ws: ator.Workspace) -> None:
    """As long as the address says it; names with HTML are escaped."""
    page = refreshed(CountingPage(ws), "?limit=<b>many&test=checkout")
    told = shown(page)

    assert "The address asks for limit=&lt;b&gt;many, which is none, and left out here." in told
    assert page.test == "checkout"
    assert "asks for" not in shown(refreshed(page, "?limit=5"))


# --- looking ---


def test_a_page_reads_in_a_thread_of_its_own(ws: ator.Workspace) -> None:
    """A slow store does not hold other sessions up."""
    page = refreshed(CountingPage(ws))

    assert page.threads != [threading.get_ident()]
    assert "<p>0 runs</p>" in shown(page)


def test_of_many_refreshes_at_once_the_last_one_is_enough(ws: ator.Workspace) -> None:
    """What changed while the first was reading is read by one more, and shown."""
    page = CountingPage(ws)
    ws.register(test="checkout")
    page.may_read.clear()

    async def change_meanwhile() -> None:
        reading = [asyncio.create_task(page.refresh()) for _ in range(10)]
        await asyncio.sleep(0)  # all have begun: the first reads
        page.test = "another"
        page.may_read.set()
        await asyncio.gather(*reading)

    asyncio.run(change_meanwhile())

    assert len(page.threads) == 2
    assert "<p>0 runs</p>" in shown(page)


def test_a_store_that_cannot_be_read_is_told_and_tried_again(ws: ator.Workspace) -> None:
    """Its message is shown, escaped, above what was seen last, and the page recovers by itself."""
    page = refreshed(CountingPage(ws))
    page.failing = StoreError("the database <data/ator.db> is locked")
    asyncio.run(page.refresh())
    told = shown(page)
    page.failing = None
    asyncio.run(page.refresh())

    assert "The data cannot be read: the database &lt;data/ator.db&gt; is locked" in told
    assert "<p>0 runs</p>" in told
    assert "is locked" not in shown(page)


def test_a_page_says_what_it_is_before_it_has_anything_to_show(ws: ator.Workspace) -> None:
    """Its title stands there while it loads and when its first look fails; then what it shows has a heading itself."""
    page = CountingPage(ws)
    loading = shown(page)
    page.failing = StoreError("the database is locked")
    failed = shown(refreshed(page))
    page.failing = None

    assert "<h1>Counting</h1>" in loading
    assert "Loading …" in loading
    assert "<h1>Counting</h1>" in failed
    assert "is locked" in failed
    assert "Loading …" not in failed
    assert "<h1>" not in shown(refreshed(page))


def test_an_unexpected_error_is_told_without_internals(ws: ator.Workspace) -> None:
    """A fault of ours is logged; the page says so in general words."""
    page = CountingPage(ws)
    page.failing = ZeroDivisionError("secret internals")

    told = shown(refreshed(page))

    assert "unexpected error" in told
    assert "secret internals" not in told


def test_the_code_of_a_view_stands_under_it(ws: ator.Workspace) -> None:
    """With what opens the workspace, and nothing where there is none."""
    page = refreshed(CountingPage(ws))
    without = shown(page)
    ws.register(test="checkout")
    asyncio.run(page.refresh())

    assert "The code for this view" not in without
    assert "ator.connect(" in shown(page)
    assert "ws.count()  # 1" in shown(page)


def test_an_equal_look_sends_nothing(ws: ator.Workspace) -> None:
    """The browser hears of changes only."""
    page = refreshed(CountingPage(ws))
    sent: list[str] = []
    for fragment in page.__panel__().select(Fragment):
        fragment.param.watch(lambda told: sent.append(told.new), ["html", "visible"])

    asyncio.run(page.refresh())

    assert sent == []
