"""Browsers log in with a token, and out again; the page leads nowhere but to this server."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect
from starlette.types import ASGIApp

from ator_lib.registry.tokens import Tokens
from ator_lib.server.guard import LOOPBACK_RULES
from ator_lib.server.login import local_target
from ator_lib.sql.engine import open_engine
from tests.support.asgi import OWN_HOST, Answer, ask
from tests.support.browser import GuardedPage
from tests.support.guarded import TOKENS_WANTED, Guarded, database, guarded, guarded_app, secrets, tokens
from tests.support.served import listening

__all__ = ["database", "guarded", "secrets", "tokens"]  # fixtures

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

ELSEWHERE = [
    *("//evil.example", "///evil.example", "https://evil.example", "http:evil.example", "javascript:alert(1)"),
    *("/\\evil.example", "\\\\evil.example", "/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/a\r\nX: y"),
    *("/\0", "/\u2028", "evil.example", " /run", "", "@evil.example"),
]


@pytest.fixture
def app(guarded: Guarded) -> ASGIApp:
    """Return the application of a server that requires tokens."""
    return guarded(TOKENS_WANTED)


def log_in(app: ASGIApp, token: str, target: str = "/run", **options: str) -> Answer:
    """Send the page's form."""
    body = urlencode({"token": token, "next": target}).encode()
    return ask(app, "POST", "/login", headers={"origin": f"http://{OWN_HOST}"}, body=[body], **options)


def kept(answer: Answer) -> SimpleCookie:
    """Read the cookie of an answer."""
    return SimpleCookie(answer.headers["set-cookie"])


@pytest.mark.parametrize("target", ["/run", "/run?id=7&x=a%20b", "/nowhere"])
def test_a_browser_without_a_token_is_led_to_the_login_page(app: ASGIApp, target: str) -> None:
    """And from there back to where it wanted to go."""
    answer = ask(app, target=target, headers=BROWSER)
    where = urlsplit(answer.headers["location"])

    assert (answer.status, where.netloc, where.path) == (303, "", "/login")
    assert parse_qs(where.query) == {"next": [target]}


def test_only_page_views_are_led_there(app: ASGIApp) -> None:
    """Programs get their error, and what changes something is never sent on."""
    assert ask(app, target="/run", headers={"accept": "application/json"}).status == 401
    assert ask(app, "POST", "/register", headers=BROWSER).status == 401


def test_the_page_needs_nothing_else(app: ASGIApp) -> None:
    """No script, no file, no other host; and it is not kept by the browser."""
    page = ask(app, target="/login", headers=BROWSER)

    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    assert "<script" not in page.text
    assert "http" not in page.text
    assert '<label for="token">' in page.text


def test_a_login_sets_a_cookie_that_opens_the_door(app: ASGIApp, secrets: dict[str, str]) -> None:
    """Scripts cannot read it, other sites cannot use it, and it ends with the browser."""
    answer = log_in(app, f"  {secrets['viewer']}\n")
    cookie = kept(answer)["ator_token_8000"]

    assert (answer.status, answer.headers["location"]) == (303, "/run")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert (cookie["secure"], cookie["max-age"], cookie["expires"], cookie["domain"]) == ("", "", "", "")
    assert ask(app, target="/run", headers={"cookie": f"ator_token_8000={cookie.value}"}).json["name"] == "viewer"


def test_over_https_the_cookie_stays_on_https(app: ASGIApp, secrets: dict[str, str]) -> None:
    """A line that is not encrypted never carries it."""
    assert kept(log_in(app, secrets["viewer"], scheme="https"))["ator_token_8000"]["secure"] is True


@pytest.mark.parametrize("kind", ["revoked", "expired", "wrong secret", "not a token"])
def test_a_wrong_token_is_told_on_the_page(app: ASGIApp, secrets: dict[str, str], kind: str) -> None:
    """The form is there again, with what went wrong and where to go, and without what was typed."""
    answer = log_in(app, secrets[kind], "/run?id=7")

    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "set-cookie" not in answer.headers
    assert 'role="alert">This token is wrong, has expired or was revoked.' in answer.text
    assert 'name="next" value="/run?id=7"' in answer.text
    assert secrets[kind] not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"token", b"token=&next=", b"\xff\xfe", b"token=%ff%00", b"a=1&" * 1000, b'{"token": 1}']
)
def test_odd_forms_are_a_wrong_token(app: ASGIApp, body: bytes) -> None:
    """Nothing that is sent breaks the page."""
    assert ask(app, "POST", "/login", body=[body]).status == 401


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_login_leads_nowhere_else(app: ASGIApp, secrets: dict[str, str], target: str) -> None:
    """A link to the login page cannot bring anybody to another site."""
    assert log_in(app, secrets["viewer"], target).headers["location"] == "/"
    query = urlencode({"next": target})
    assert 'name="next" value="/"' in ask(app, target=f"/login?{query}").text


@pytest.mark.parametrize("target", ["/", "/run", "/run?id=7&tab=log", "/a//b", "/run?next=https://x.example"])
def test_paths_of_this_server_are_fine(target: str) -> None:
    """They stay as they are."""
    assert local_target(target) == target


def test_the_page_escapes_what_it_is_given(app: ASGIApp) -> None:
    """An address cannot bring a script into it."""
    page = ask(app, target="/login?" + urlencode({"next": '/"><script>alert(1)</script>'})).text

    assert "<script" not in page
    assert 'value="/&quot;&gt;&lt;script' in page


def test_another_site_cannot_log_anybody_in_or_out(app: ASGIApp, secrets: dict[str, str]) -> None:
    """A foreign page could otherwise have somebody work under a name that is not theirs."""
    body = [urlencode({"token": secrets["viewer"]}).encode()]
    for target in ("/login", "/logout"):
        answer = ask(app, "POST", target, headers={"origin": "http://evil.example"}, body=body)
        assert answer.status == 403
        assert "set-cookie" not in answer.headers


def test_logging_out_forgets_the_cookie(app: ASGIApp, secrets: dict[str, str]) -> None:
    """Also when the token does not hold any more; a link alone does not do it."""
    for headers in ({}, {"cookie": f"ator_token_8000={secrets['viewer']}"}):
        answer = ask(app, "POST", "/logout", headers=headers)
        assert (answer.status, answer.headers["location"]) == (303, "/login")
        assert (kept(answer)["ator_token_8000"].value, kept(answer)["ator_token_8000"]["max-age"]) == ("", "0")
    assert ask(app, target="/logout").status == 405


def test_who_is_logged_in_may_log_out_there(guarded: Guarded, secrets: dict[str, str]) -> None:
    """The page says who it is, on an open server, too."""
    for rules in (TOKENS_WANTED, LOOPBACK_RULES):
        page = ask(guarded(rules), target="/login", headers={"cookie": f"ator_token_8000={secrets['viewer']}"}).text
        assert "logged in as <strong>viewer</strong>, with the role viewer" in page
        assert 'action="/logout"' in page


def test_names_are_escaped(app: ASGIApp, tokens: Tokens) -> None:
    """A token's name is text and nothing else."""
    _, secret = tokens.create("<script>alert(1)</script>", "viewer")
    page = ask(app, target="/login", headers={"cookie": f"ator_token_8000={secret}"}).text

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_database_that_is_away_is_said_on_the_page(tmp_path: Path, secrets: dict[str, str]) -> None:
    """The form stays, for another try."""
    app = guarded_app(TOKENS_WANTED, Tokens(open_engine(tmp_path / "nowhere" / "hidden.db")))
    for answer in (
        log_in(app, secrets["viewer"]),
        ask(app, target="/login", headers={"cookie": f"ator_token_8000={secrets['viewer']}"}),
    ):
        assert answer.status == 503
        assert "cannot reach its database" in answer.text
        assert "hidden.db" not in answer.text


def test_a_person_logs_in_and_out(
    app: ASGIApp, secrets: dict[str, str], served_page: Callable[[str], GuardedPage]
) -> None:
    """In a real browser, by keyboard alone: led to the page, told of a mistake, let in, and out again."""
    with listening(app) as url:
        guarded_page = served_page(url)
        page: Page = guarded_page.page
        page.goto(f"{url}/run?id=7")
        field = page.get_by_label("API token")
        expect(field).to_be_focused()

        page.keyboard.type(secrets["revoked"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("was revoked")

        page.get_by_label("API token").fill(secrets["viewer"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/run?id=7")
        assert "viewer" in page.content()
        assert page.evaluate("document.cookie") == ""
        assert page.evaluate("fetch('/register', {method: 'POST'}).then(answer => answer.status)") == 403

        page.goto(f"{url}/login")
        page.get_by_role("button", name="Log out").press("Enter")
        page.wait_for_url("**/login")
        page.goto(f"{url}/run")
        expect(page.get_by_label("API token")).to_be_visible()

    assert guarded_page.requests_made == []
