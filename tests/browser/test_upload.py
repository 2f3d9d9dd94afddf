"""Uploading in a browser: a good file becomes a run, a bad one is told of, and a viewer is told why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import ator_lib as ator
from tests.support.dashboard import Dashboard, Seen, dashboard_of
from tests.support.samples import write_samples

LARGE_BYTES = 200_000_000

BAD_FILES = {
    "executable": b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8,
    "empty": b"",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "text that is no result": b"Dear diary, today was quick.\n" * 20,
}


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve an empty workspace."""
    with dashboard_of(ator.connect(tmp_path_factory.mktemp("upload") / "data")) as dashboard:
        yield dashboard


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Write the samples of a run."""
    path = tmp_path / "checkout <b>🚀.csv"
    write_samples(path, {"/products": 20.0, "/orders": 60.0}, start=datetime(2026, 3, 1, 12, tzinfo=UTC))
    return path


def choose(page: Page, path: Path) -> None:
    """Choose a file by the button."""
    page.get_by_label("Choose a file").set_input_files(path)


def uploads_left(dashboard: Dashboard) -> list[Path]:
    """Tell which uploads the server keeps."""
    return list(dashboard.workspace.data.glob("uploads/*"))


def test_a_file_is_looked_at_before_it_becomes_a_run(dashboard: Dashboard, seen: Seen, results: Path) -> None:
    """What is in it is shown, also after a reload; with names filled in it becomes a run, whose page opens."""
    page = seen.open("/upload")
    choose(page, results)

    found = page.get_by_role("region", name="What is in the file")
    expect(found.get_by_role("heading")).to_have_text(results.name)
    expect(found).to_contain_text("200 samples")
    expect(page.get_by_role("region", name="Endpoints")).to_contain_text("GET /orders")
    assert dashboard.workspace.history().empty
    page.reload()
    expect(found.get_by_role("heading")).to_have_text(results.name)

    page.get_by_label("Test", exact=True).fill("checkout 🚀")
    page.get_by_label("Tags", exact=True).fill("nightly, release")
    page.get_by_role("button", name="Make the run").click()
    expect(page).to_have_url(re.compile(r"/run\?run_id=1$"))
    seen.wait_for_content()
    expect(page.get_by_role("heading", level=1)).to_contain_text("checkout 🚀")
    (run,) = dashboard.workspace.history().to_dict("records")
    assert (run["test"], run["tags"]) == ("checkout 🚀", ("nightly", "release"))
    assert uploads_left(dashboard) == []


def test_a_file_is_dropped_and_discarded(dashboard: Dashboard, seen: Seen) -> None:
    """It may be dropped on the page, too; whoever does not want it is asked once, and nothing is left."""
    runs = dashboard.workspace.count()
    page = seen.open("/upload")
    page.on("dialog", lambda dialog: dialog.accept())
    jtl = "timeStamp,elapsed,label,responseCode,success\n1700000000000,100,GET /search,200,true\n"
    dropped = page.evaluate_handle(
        "text => { const data = new DataTransfer(); data.items.add(new File([text], 'results.jtl')); return data }", jtl
    )
    page.locator("[data-part=place]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_role("heading", name="results.jtl")).to_be_visible()

    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="results.jtl")).to_have_count(0)
    expect(page.get_by_label("Choose a file")).to_be_attached()
    assert (dashboard.workspace.count(), uploads_left(dashboard)) == (runs, [])


def test_a_bad_file_is_told_of(dashboard: Dashboard, seen: Seen, tmp_path: Path) -> None:
    """An executable, nothing, a picture, a diary: each gets a sentence with its name, and the next one may come."""
    page = seen.open("/upload")
    for kind, content in BAD_FILES.items():
        path = tmp_path / f"{kind}.bin"
        path.write_bytes(content)
        choose(page, path)
        problem = page.get_by_role("alert").filter(has_text=path.name)
        expect(problem).to_be_visible()
        assert "unexpected" not in problem.inner_text()
    assert uploads_left(dashboard) == []
    assert [text for text in seen.complaints if "422" not in text] == []
    seen.complaints.clear()


def test_a_large_file_that_is_none_does_no_harm(dashboard: Dashboard, seen: Seen, tmp_path: Path) -> None:
    """200 MB of zeros are refused with a sentence; the page lives on and takes the next file."""
    path = tmp_path / "zeros.csv"
    with path.open("wb") as file:
        file.truncate(LARGE_BYTES)
    page = seen.open("/upload")
    choose(page, path)

    expect(page.get_by_role("alert").filter(has_text="zeros.csv")).to_be_visible()
    assert uploads_left(dashboard) == []
    page.get_by_role("link", name="Runs", exact=True).click()
    seen.wait_for_content()
    seen.complaints.clear()


def test_an_upload_that_has_gone_is_told_of(seen: Seen) -> None:
    """A link to it outlives it, and leads to a new one."""
    page = seen.open("/upload?upload=gone")
    expect(page.get_by_text("This upload is not there.")).to_be_visible()

    page.get_by_role("link", name="Upload a file").click()
    expect(page.get_by_label("Choose a file")).to_be_attached()
