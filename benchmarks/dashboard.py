"""The dashboard in a headless Chromium, on a store of 10,000 runs of 20 endpoints and two of ten million samples.

    python -m benchmarks.dashboard [ROWS]

How long somebody waits for a page, a filter, a zoom and a comparison; then 100 open sessions in one process, 20 of
them on the page of a run that is running: memory, CPU, and how long a choice takes meanwhile. Those sessions are
opened without a browser, which would be measured more than the server, and one browser looks at a page beside them.
Takes some ten minutes and 0.5 GB of disk.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

import ator_lib as ator
from ator_lib.model import Progress, RunRequest
from benchmarks import trend
from benchmarks._served import served
from benchmarks._sessions import Sessions
from benchmarks.compare import keep
from tests.support.browser import launched

ROWS = 10_000_000
ENDPOINTS = 20
ROUNDS = 5
SESSIONS, LIVE = 100, 20
MEMORY_ROUNDS = 3
WATCHED_S = 10.0
CALM_S = 3.0
PATIENCE_MS = 120_000

FIRST_ROW = "section[aria-label=Runs] tbody tr a"
FIGURE = "[aria-label='All requests'] .value"


def told(what: str, figure: float, unit: str, target: str) -> None:
    """Print a measurement."""
    print(f"{what}: {figure:.3g} {unit} (target: {target})", flush=True)


def main(arguments: list[str]) -> None:
    """Make the store, serve it, and measure one thing after the other."""
    rows = int(arguments[0]) if arguments else ROWS
    with tempfile.TemporaryDirectory() as name:
        workspace = ator.connect(Path(name) / "data")
        trend.fill(workspace.parts.engine)
        first, second = (keep(workspace, rows, slower, endpoints=ENDPOINTS).run_id for slower in (1.0, 1.1))
        with served(workspace.data) as (url, process), launched() as browser:
            one_visitor(browser, url, first, second)
            with running(workspace) as run_id:
                many_sessions(browser, url, process, run_id)


# --- one visitor ---


def one_visitor(browser: Browser, url: str, first: int, second: int) -> None:
    """Measure what somebody waits for, and which hosts the pages ask."""
    asked: set[str] = set()
    cold, warm = first_tables(browser, url, asked)
    told("first table, cold", cold, "s", "< 2.5")
    told("first table, warm", warm, "s", "< 1.5")
    page = opened(browser, asked)
    page.goto(f"{url}/runs")
    page.wait_for_selector(FIRST_ROW)
    told("filter of the runs", filtered(page), "s", "< 0.4")
    told("next page of the runs", paged(page), "s", "< 0.4")
    told("zoom into the run of many samples", zoomed(page, f"{url}/run?run_id={second}"), "s", "< 0.6")
    address = f"{url}/compare?run={second}&baseline={first}"
    told("comparison of two such runs, with the page, at first", shown(page, address, ".badge"), "s", "< 2")
    told("comparison of two such runs, with the page, again", shown(page, address, ".badge"), "s", "< 2")
    own = (url, url.replace("http", "ws", 1), "data:", "blob:")
    told("requests to other hosts", sum(not address.startswith(own) for address in asked), "", "0")
    page.context.close()


def opened(browser: Browser, asked: set[str] | None = None) -> Page:
    """Open an empty page in a context of its own, which has no cache yet."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    if asked is not None:
        page.on("request", lambda request: asked.add(request.url))
    return page


def first_tables(browser: Browser, url: str, asked: set[str]) -> tuple[float, float]:
    """Wait for the first row: in a browser that has nothing yet, and in one that has been there. Medians."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        page = opened(browser, asked)
        for times in taken:
            times.append(shown(page, f"{url}/runs", FIRST_ROW))
        page.context.close()
    return median(taken[0]), median(taken[1])


def shown(page: Page, address: str, selector: str) -> float:
    """Give the seconds until something is seen of a page."""
    page.goto("about:blank")
    begin = perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(selector)
    return perf_counter() - begin


def until_changed(page: Page, act: Callable[[], Any], selector: str) -> float:
    """Act, and give the seconds until a text is another one."""
    text = page.locator(selector).first
    before = text.inner_text()
    begin = perf_counter()
    act()
    while text.inner_text() == before:
        sleep(0.002)
    return perf_counter() - begin


def filtered(page: Page) -> float:
    """Choose the failures, and take the choice back, again and again."""
    box = page.get_by_role("checkbox", name="failure", exact=True)
    return median(until_changed(page, box.click, FIRST_ROW) for _ in range(2 * ROUNDS))


def paged(page: Page) -> float:
    """Go on through the pages of runs."""
    following = page.get_by_role("link", name="Next page").first
    return median(until_changed(page, following.click, FIRST_ROW) for _ in range(ROUNDS))


def zoomed(page: Page, address: str) -> float:
    """Mark a tenth of the chart, as with the mouse, and go back; give the median of the ways in."""
    page.goto(address)
    page.locator(".main-svg").first.wait_for()
    taken = []
    for tenth in range(1, ROUNDS + 1):
        sleep(CALM_S)
        box = page.locator(".nsewdrag").first.bounding_box()
        assert box is not None
        height = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * tenth / 10, height)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (tenth + 1) / 10, height, steps=5)
        taken.append(until_changed(page, page.mouse.up, FIGURE))
        until_changed(page, page.get_by_role("link", name="Whole run", exact=True).click, FIGURE)
    return median(taken)


# --- many sessions ---


def many_sessions(browser: Browser, url: str, process: psutil.Process, run_id: int) -> None:
    """Measure the server's memory and CPU with many sessions open, and what one of the visitors waits for."""
    page = opened(browser)
    page.goto(f"{url}/runs")
    page.wait_for_selector(FIRST_ROW)
    others = ["/overview", "/runs", "/run?run_id=1", "/trends"]
    paths = [f"/run?run_id={run_id}"] * LIVE + [others[n % len(others)] for n in range(SESSIONS - LIVE)]
    closed_mb = []
    for number in range(MEMORY_ROUNDS):
        before_mb = memory_mb(process)
        with opened_sessions(url, paths):
            open_mb = memory_mb(process)
            process.cpu_percent()
            sleep(WATCHED_S)
            cpu = process.cpu_percent()
            taken = filtered(page)
        sleep(CALM_S)
        closed_mb.append(memory_mb(process))
        told(f"round {number + 1}: memory of a session", (open_mb - before_mb) / SESSIONS, "MB", "< 3")
        told(f"round {number + 1}: CPU of the server, {LIVE} sessions live", cpu, "% of a core", "< 100")
        told(f"round {number + 1}: a choice until it is drawn, median", taken, "s", "< 0.5")
        told(f"round {number + 1}: memory after all are closed", closed_mb[-1], "MB", "flat")
    page.context.close()


def memory_mb(process: psutil.Process) -> float:
    """Give the resident memory."""
    return float(process.memory_info().rss / 1e6)


@contextmanager
def opened_sessions(url: str, paths: list[str]) -> Iterator[None]:
    """Hold sessions open from a thread with a loop of its own, as Playwright has one here."""
    is_open, may_close = threading.Event(), threading.Event()

    async def hold() -> None:
        async with Sessions(url) as sessions:
            await sessions.open(paths)
            is_open.set()
            await asyncio.to_thread(may_close.wait)

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    try:
        while thread.is_alive() and not is_open.wait(0.1):
            pass
        assert is_open.is_set(), "the sessions could not be opened"
        sleep(CALM_S)
        yield
    finally:
        may_close.set()
        thread.join()


@contextmanager
def running(workspace: ator.Workspace) -> Iterator[int]:
    """Keep a run alive whose heartbeats tell of new requests, as an executor does."""
    registry = workspace.parts.registry
    run = registry.register(RunRequest(test="live", location="bench"), lease_s=600.0)
    ended = threading.Event()

    def beat() -> None:
        begin = perf_counter()
        while not ended.wait(2.0):
            elapsed_s = perf_counter() - begin
            figures = {"requests": round(100 * elapsed_s), "users": 50, "throughput_rps": 100 + elapsed_s % 7}
            progress = Progress(elapsed_s=elapsed_s, p95_ms=80 + elapsed_s % 11, **figures)
            registry.renew(run.run_id, run.lease_id, lease_s=600.0, progress=progress)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield run.run_id
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1:])
