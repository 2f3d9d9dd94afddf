"""Who may see and do what, in browsers of people with different roles, on a server that wants tokens."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import ator_lib as ator
from ator_lib.server.guard import AccessRules
from tests.support.dashboard import Dashboard, Seen, dashboard_of, seen_tab

RULES = AccessRules(requires_token=True, recheck_s=0.5)

CANCEL = """async (run_id) => {
  const headers = {"Content-Type": "application/json"}
  return (await fetch("/cancel", {method: "POST", headers, body: JSON.stringify({run_id})})).status
}"""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a token, and a browser of one's own."""

    name: str
    token: str
    seen: Seen

    def log_in(self, address: str) -> Page:
        """Ask for a page, and get there by the login."""
        page = self.seen.page
        page.goto(self.seen.url + address)
        page.get_by_label("API token").fill(self.token)
        page.get_by_role("button", name="Log in").click()
        self.seen.wait_for_content()
        return page


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Serve an empty workspace to those who have a token."""
    workspace = ator.connect(tmp_path_factory.mktemp("access") / "data")
    with dashboard_of(workspace, rules=RULES) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def profiles(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    """Make a browser profile for each role; it is with its cookies that a server knows somebody."""
    profiles = {role: browser.new_context() for role in ("viewer", "runner")}
    yield profiles
    for profile in profiles.values():
        profile.close()


@contextmanager
def person(dashboard: Dashboard, profile: BrowserContext, role: str) -> Iterator[Person]:
    """Give somebody of that role, who has not logged in yet."""
    tokens = dashboard.workspace.tokens
    name = f"{role} {len(tokens.list())}"
    profile.clear_cookies()
    with seen_tab(profile, dashboard.url) as seen:
        yield Person(name=name, token=tokens.create(name, role)[1], seen=seen)
        assert seen.requests_made == []


@pytest.fixture
def viewer(dashboard: Dashboard, profiles: dict[str, BrowserContext]) -> Iterator[Person]:
    """Give somebody who may look."""
    with person(dashboard, profiles["viewer"], "viewer") as viewer:
        yield viewer


@pytest.fixture
def runner(dashboard: Dashboard, profiles: dict[str, BrowserContext]) -> Iterator[Person]:
    """Give somebody who may change runs."""
    with person(dashboard, profiles["runner"], "runner") as runner:
        yield runner


def test_two_people_see_the_same_and_may_do_different_things(
    dashboard: Dashboard, viewer: Person, runner: Person
) -> None:
    """A viewer has no buttons, and is refused by the doors behind them; what a runner changes the viewer sees."""
    run = dashboard.workspace.register(test="soak", location="lab-1")
    theirs, ours = viewer.log_in("/runs?test=soak"), runner.log_in("/runs?test=soak")
    for page in (theirs, ours):
        expect(page.get_by_role("link", name=f"Run {run.run_id}", exact=True)).to_be_visible()

    assert theirs.locator("main [data-post]").count() == 0
    assert theirs.evaluate(CANCEL, run.run_id) == 403
    assert dashboard.workspace.get(run.run_id).status == "running"

    ours.on("dialog", lambda dialog: dialog.accept())
    ours.get_by_role("button", name=f"Cancel run {run.run_id}").click()
    expect(ours.locator("table.runs")).to_contain_text("cancelled")
    expect(theirs.locator("table.runs")).to_contain_text("cancelled")

    viewer.seen.open("/upload")
    expect(theirs.get_by_text("You may look, but not upload.")).to_be_visible()
    expect(theirs.get_by_label("Choose a file")).to_be_hidden()


def test_no_secret_stands_in_a_page(viewer: Person) -> None:
    """Neither in its source, nor in the session's token there, nor within reach of its scripts."""
    page = viewer.log_in("/overview")
    answer = page.request.get(viewer.seen.url + "/overview")
    secret = viewer.token.rpartition("_")[2]
    sources = [answer.text(), page.content(), *opened_tokens(answer.text())]

    assert len(sources) > 2
    assert [source[:80] for source in sources if secret in source] == []
    assert page.evaluate("document.cookie") == ""
    assert secret not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def opened_tokens(source: str) -> list[str]:
    """Decode what looks like a token of Bokeh's; what the page said of itself is packed once more in it."""
    opened = []
    for text in re.findall(r"[\w-]{40,}", source):
        padded = text + "=" * (-len(text) % 4)
        try:
            plain = base64.urlsafe_b64decode(padded)
        except ValueError:
            continue
        if b"session_id" in plain:
            packed = re.search(rb'"__bk__zlib_": *"([^"]*)"', plain)
            more = zlib.decompress(base64.urlsafe_b64decode(packed[1])) if packed else b""
            opened.append((plain + more).decode())
    return opened


def test_log_out_ends_it(viewer: Person) -> None:
    """The page's frame says who is logged in; after logging out neither the page nor the way back shows anything."""
    page = viewer.log_in("/runs?test=soak")
    expect(page.get_by_role("banner")).to_contain_text(viewer.name)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("API token")).to_be_visible()

    page.goto(viewer.seen.url + "/runs?test=soak")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fruns%3Ftest"))
    assert page.request.get(viewer.seen.url + "/history").status == 401


def test_a_wrong_token_is_refused_with_words(viewer: Person) -> None:
    """The form says so, and takes the right one."""
    page = viewer.seen.page
    page.goto(viewer.seen.url + "/runs?test=soak")
    page.get_by_label("API token").fill("letmein")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()

    page.get_by_label("API token").fill(viewer.token)
    page.get_by_role("button", name="Log in").click()
    viewer.seen.wait_for_content()
    assert viewer.seen.query == "?test=soak"


def test_an_open_page_ends_with_its_token(dashboard: Dashboard, viewer: Person) -> None:
    """When the token is revoked, a page that is open is told nothing more, and leads to the login."""
    page = viewer.log_in("/overview")
    expect(page.get_by_role("heading", name="Running now")).to_be_visible()
    dashboard.workspace.tokens.revoke(viewer.name)
    dashboard.workspace.register(test="not for everybody")

    expect(page.get_by_label("API token")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/login\?next=%2Foverview"))
