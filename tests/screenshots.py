"""Pictures of every page: ``python -m tests.screenshots FOLDER [PICTURES]``.

Each page is taken from top to bottom, on a desktop and on a phone, light and dark. The upper parts of three of them
go to PICTURES, if that is given, small enough for the README.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

import ator_lib as ator
from ator_lib.demo import seed
from ator_lib.demo.scenario import LOCUSTFILE, run_demo
from tests.support.browser import launched
from tests.support.dashboard import PHONE, dashboard_of, seen_page
from tests.support.files import synthetic_csv
from tests.support.samples import ingest_samples
from tests.support.served import PATIENCE_S
from tests.support.target import running_target

NIGHTS, SLOWER_FROM = 30, 26
MEDIANS_MS = {"/search": 40.0, "/products": 20.0, "/cart": 31.0, "/orders": 60.0, "/login": 12.0}
DEVICES = {"desktop": {"width": 1280, "height": 900}, "phone": PHONE}
SCHEMES = {"light": "", "dark": "-dark"}
CALM_S = 0.4
CALM_LOOKS = 3

README = {"overview": 890, "run": 1176, "compare": 1250}
"""Pages whose upper parts the README shows, and how many pixels of them."""

COLOURS = 256

expect.set_options(timeout=PATIENCE_S * 1000)


def main(folder: Path, pictures: Path | None = None) -> None:
    """Take all pictures, and print what was written."""
    for path in taken(folder):
        print(path)
    if pictures is not None:
        for view, height in README.items():
            print(smaller(folder / f"{view}-desktop.png", pictures / f"{view}.png", height))


def taken(folder: Path) -> Iterator[Path]:
    """Make a workspace, and take a picture of each view of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        made = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ator-screenshots-")))
        workspace, views = stack.enter_context(showcase(made))
        dashboard = stack.enter_context(dashboard_of(workspace))
        browser = stack.enter_context(launched())
        upload = synthetic_csv(made / "results.csv", [10.0, 20.0, 30.0] * 40, failures=2)
        for view, device, scheme in product(views, DEVICES, SCHEMES):
            with seen_page(browser, dashboard.url, viewport=DEVICES[device], color_scheme=scheme) as seen:
                page = seen.open(views[view])
                if view == "upload-preview":
                    page.locator("input[type=file]").set_input_files(upload)
                    expect(page.get_by_role("heading", name=upload.name)).to_be_visible()
                wait_until_calm(page)
                path = folder / f"{view}-{device}{SCHEMES[scheme]}.png"
                page.screenshot(path=path, full_page=True)
            yield path


@contextmanager
def showcase(folder: Path) -> Iterator[tuple[ator.Workspace, Mapping[str, str]]]:
    """Make a workspace with something on every page, a run that is running included; give the addresses of its views.

    The demo's runs are measured; what else there is is marked synthetic.
    """
    workspace = ator.connect(folder / "data")
    seed.seed(workspace.parts, now=datetime.now(UTC))
    nights = [night(workspace, folder, number) for number in range(NIGHTS)]
    workspace.annotate(nights[10], "new database server", resets=False)
    demo = run_demo(workspace, report=folder / "report.html", say=lambda line: None)
    (contender,), (baseline,) = demo.parameters["contender"], demo.parameters["baseline"]
    workspace.baselines.pin("shop", baseline)
    workspace.judge(limit=NIGHTS)
    with running_target() as address:
        load = ator.Locust(LOCUSTFILE, host=address, users=20, spawn_rate=1, run_time="20m")
        live = workspace.submit(load, test="shop", stream="main", location="demo-lab", environment="demo", factor="0.6")
        try:
            yield (
                workspace,
                {
                    "runs": "/runs",
                    "run": f"/run?run_id={contender}",
                    "compare": f"/compare?run={contender}&baseline={baseline}",
                    "compare-explained": f"/compare?run={contender}&baseline={baseline}&explain=1",
                    "compare-each": "/compare?each=1&baseline=" + "&run=".join(map(str, [nights[-6], *nights[-5:]])),
                    "compare-choice": "/compare",
                    "trends": f"/trends?test=nightly&point={nights[SLOWER_FROM]}",
                    "trends-tests": "/trends",
                    "upload": "/upload",
                    "upload-preview": "/upload",
                    "overview": "/overview",  # late, when the live run has a course
                    "run-live": f"/run?run_id={live.run_id}",
                },
            )
        finally:
            live.stop()
            live.result()


def night(workspace: ator.Workspace, folder: Path, number: int) -> int:
    """Keep a synthetic run of one of the last nights; the search is slower in the latest of them."""
    start = datetime.now(UTC).replace(hour=2, minute=0) - timedelta(days=NIGHTS - 1 - number)
    slowed = {"/search": MEDIANS_MS["/search"] * 1.3} if number >= SLOWER_FROM else {}
    return ingest_samples(
        workspace,
        folder / f"night_{number}.csv",
        MEDIANS_MS | slowed,
        start=start,
        seed=number,
        seconds=300,
        requests=1000,
        failing="/orders",
        test="nightly",
        stream="main",
        environment="synthetic",
        location="lab-1",
        tags=["synthetic"],
        attributes={"git_commit": f"{number // 5:07x}"},
    ).run_id


def wait_until_calm(page: Page) -> None:
    """Wait until the page has neither grown nor drawn anything more for a while."""
    seen: list[tuple[int, int]] = []
    while len(seen) < CALM_LOOKS or len(set(seen[-CALM_LOOKS:])) > 1:
        time.sleep(CALM_S)
        height = page.evaluate("document.documentElement.scrollHeight")
        seen.append((height, page.locator(".main-svg").count()))
    expect(page.get_by_text("The data cannot be read")).to_have_count(0)


def smaller(path: Path, target: Path, height: int) -> Path:
    """Keep the upper part of a picture, in few colours."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(path) as picture:
        part = picture.convert("RGB").crop((0, 0, picture.width, min(height, picture.height)))
    few = part.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # the rare ones are kept
    few.save(target, optimize=True)
    return target


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
