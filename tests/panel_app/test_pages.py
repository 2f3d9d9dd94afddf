"""What holds for every page."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

import pytest

import ator_lib as ator
from panel_app.page import Page
from panel_app.pages import OFFERED, PAGES, pages
from panel_app.pages.run import RunPage
from tests.panel_app.conftest import RUNNER, VIEWER, refreshed, shown

EVIL = "<script>alert(1)</script>" + "🚀" * 500

every_page = pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.TITLE)


def test_the_first_page_is_the_overview_and_all_that_is_offered_is_served() -> None:
    """Each page has an address of its own."""
    assert list(pages()) == [page.PATH for page in PAGES]
    assert next(iter(pages())) == "/overview"
    assert set(OFFERED) <= set(PAGES)


def test_tab_names_the_run(ws: ator.Workspace) -> None:
    """Several are open at a time; what is no run has no name."""
    page = RunPage(ws, VIEWER)
    page.go("?run_id=7")
    named = page.title
    page.go(f"?run_id={EVIL}")

    assert (named, page.title) == ("Run 7", "Run")


@every_page
@pytest.mark.parametrize("visitor", [VIEWER, RUNNER], ids=["viewer", "runner"])
def test_a_page_of_an_empty_workspace_says_what_it_is(
    kind: type[Page], visitor: object, ws: ator.Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """It has one main heading and nothing fails; a viewer is offered no change."""
    with caplog.at_level(logging.ERROR):
        html = shown(refreshed(kind(ws, visitor)))  # type: ignore[arg-type]

    assert html.count("<h1") == 1
    assert "cannot be read" not in html
    assert caplog.records == []
    if visitor is VIEWER:
        assert "data-post" not in html


@every_page
def test_a_page_takes_any_state(kind: type[Page], ws: ator.Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever an address says: it is shown escaped, and nothing fails unexpectedly."""
    for value in (EVIL, "-1", "9" * 30, "\x00", "%"):
        query = urlencode([(name, value) for name in kind.state_names() for _ in range(2)])
        with caplog.at_level(logging.ERROR):
            html = shown(refreshed(kind(ws, VIEWER), f"?{query}"))

        assert "<script" not in html
        assert "unexpected error" not in html
    assert caplog.records == []
