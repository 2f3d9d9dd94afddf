"""The index of a folder of reports."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ator_lib.errors import UsageError
from ator_lib.reports.facts import ReportFacts, facts_in
from ator_lib.reports.index import write_index
from tests.support.browser import GuardedPage

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def made(path: Path, title: str, *, days: int = 0, **facts: object) -> Path:
    """Write what the head of a report says."""
    about = ReportFacts(kind="run", title=title, made_at=NOON + timedelta(days=days), **facts)  # type: ignore[arg-type]
    meta = escape(json.dumps(about.to_dict()), quote=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<!DOCTYPE html><html><head><meta name="ator-report" content="{meta}"></head><body></body></html>')
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of three reports, one with a name and texts that are awkward, and of other HTML files."""
    made(tmp_path / "old.html", "Run 1 · shop", verdict="success", test="shop")
    made(tmp_path / "deep" / "ne%w #1?.html", "<script>window.hurt = 1</script>", days=2, headline='it\'s "<b>"')
    made(tmp_path / "mid.html", "Run 2 · checkout", days=1, verdict="regressed", test="checkout", headline="p95 +62 %")
    (tmp_path / "foreign.html").write_text("<p>somebody else's</p>")
    (tmp_path / "body.html").write_text("<body><meta name='ator-report' content='{}'>")
    (tmp_path / "broken.html").write_text('<meta name="ator-report" content="{broken">')
    (tmp_path / "undated.html").write_text('<meta name="ator-report" content=\'{"title": "x", "made_at": "no"}\'>')
    (tmp_path / "binary.html").write_bytes(bytes(range(256)) * 100)
    (tmp_path / ".hidden.html").write_text("")
    (tmp_path / "folder.html").mkdir()
    return tmp_path


def test_lists_the_newest_first_and_says_what_it_skipped(folder: Path) -> None:
    """Reports below the folder count; what is none of ours is named with the reason, and twice is as once."""
    for _ in range(2):
        found = write_index(folder)
        assert (found.page, found.reports) == (folder / "index.html", 3)
        assert [path.name for path, _ in found.skipped] == [
            *("binary.html", "body.html", "broken.html", "foreign.html", "undated.html")
        ]
        assert {why for _, why in found.skipped} == {
            "it is no report of ATOR, or of an earlier version",
            "what it says of itself cannot be read",
        }
    text = found.page.read_text()
    assert text.index("hurt") < text.index("Run 2") < text.index("Run 1")
    assert "5 other HTML files are not listed" in text


def test_links_lead_to_the_reports_and_texts_stay_texts(folder: Path, offline_page: GuardedPage) -> None:
    """Any file name is a working link; titles do not run; nothing is fetched."""
    page = offline_page.page
    page.goto(write_index(folder).page.as_uri())
    expect(page.get_by_role("row")).to_have_count(4)
    assert page.evaluate("window.hurt") is None
    expect(page.get_by_text('it\'s "<b>"')).to_be_visible()
    page.get_by_role("link", name="hurt").click()
    expect(page).to_have_url((folder / "deep" / "ne%w #1?.html").as_uri())
    assert offline_page.requests_made == []


def test_filters_by_words(folder: Path, offline_page: GuardedPage) -> None:
    """All words must be in a row, in any column and case; how many are left is told."""
    page = offline_page.page
    page.goto(write_index(folder).page.as_uri())
    expect(page.get_by_role("status")).to_have_text("3 of 3")
    page.get_by_role("searchbox", name="Filter").fill("REGRESSED checkout")
    expect(page.get_by_role("status")).to_have_text("1 of 3")
    expect(page.get_by_role("link")).to_have_text(["Run 2 · checkout"])
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_empty_folder_has_a_page_too(tmp_path: Path) -> None:
    """It says that there is none yet, and is no report itself."""
    found = write_index(tmp_path)
    assert (found.reports, found.skipped) == (0, ())
    assert "no report in this folder yet" in found.page.read_text()
    about = facts_in(found.page)
    assert about is not None
    assert about.kind == "index"


def test_a_page_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    """An index.html that is none of ours stays, and a folder that is not there is told."""
    (tmp_path / "index.html").write_text("<p>mine</p>")
    with pytest.raises(UsageError, match="no index of reports"):
        write_index(tmp_path)
    assert (tmp_path / "index.html").read_text() == "<p>mine</p>"
    with pytest.raises(UsageError, match=r"no folder .*nowhere"):
        write_index(tmp_path / "nowhere")
