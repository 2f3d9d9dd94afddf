"""Pages know whom they are made for, and their source gives nothing away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import panel as pn
import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id, get_token_payload

import ator_lib
from ator_lib.model import Role
from ator_lib.server.app import create_app
from ator_lib.server.guard import LOOPBACK_RULES, AccessRules
from ator_lib.server.visitors import Visitor
from ator_lib.workspace.workspace import Workspace
from tests.support.guarded import TOKENS_WANTED
from tests.support.served import listening

ROLES = [role.value for role in Role]

_TOKEN = re.compile(r"eyJ[\w-]+(?:\.[\w-]+)*|[\w-]{40,}(?:\.[\w-]+)*")


class Site:
    """A server with one page that remembers its visitors."""

    def __init__(self, url: str, secrets: dict[str, str], visitors: list[Visitor]) -> None:
        self.url = url
        self.secrets = secrets
        self.visitors = visitors

    @contextmanager
    def logged_in(self, name: str) -> Iterator[httpx.Client]:
        """Log in as a browser does."""
        with httpx.Client(base_url=self.url) as client:
            client.post("/login", data={"token": self.secrets[name]})
            yield client


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Make an empty workspace."""
    return ator_lib.connect(tmp_path_factory.mktemp("visited"))


@pytest.fixture(scope="module")
def site(workspace: Workspace) -> Iterator[Site]:
    """Serve to those with a token."""
    secrets = {name: workspace.tokens.create(name, name)[1] for name in ROLES}
    yield from sited(workspace, TOKENS_WANTED, secrets)


def sited(workspace: Workspace, rules: AccessRules, secrets: dict[str, str]) -> Iterator[Site]:
    """Serve the page to whom the rules let in."""
    visitors: list[Visitor] = []

    def page(workspace: Workspace, visitor: Visitor) -> Any:
        visitors.append(visitor)
        return pn.Row(pn.pane.Str(str(pn.state.session_args)))

    with listening(create_app(workspace, {"/page": page}, rules=rules)) as url:
        yield Site(url, secrets, visitors)


@pytest.mark.parametrize("name", ROLES)
def test_a_page_knows_its_visitor(site: Site, name: str) -> None:
    """Name and role are those of the token; who came through the login page can log out again."""
    with site.logged_in(name) as client:
        client.get("/page").raise_for_status()

    visitor = site.visitors[-1]
    assert visitor == Visitor(name=name, role=Role(name), can_log_out=True)
    assert (visitor.may_run, visitor.may_admin) == (name != "viewer", name == "admin")
    assert [role for role in ROLES if visitor.may(role)] == ROLES[: ROLES.index(name) + 1]


def test_with_a_token_in_a_header_there_is_nothing_to_log_out_of(site: Site) -> None:
    """It was sent by a program or a proxy, which will send it again."""
    httpx.get(f"{site.url}/page", headers={"x-api-key": site.secrets["runner"]}).raise_for_status()

    assert site.visitors[-1] == Visitor(name="runner", role=Role.RUNNER, can_log_out=False)


def test_on_an_open_loopback_server_the_visitor_has_no_name(workspace: Workspace) -> None:
    """Whoever reaches it may do everything."""
    for site in sited(workspace, LOOPBACK_RULES, {}):
        httpx.get(f"{site.url}/page").raise_for_status()
        assert site.visitors == [Visitor(name=None, role=Role.ADMIN, can_log_out=False)]


def test_the_source_of_a_page_holds_no_secret(site: Site) -> None:
    """Neither in the clear nor inside the session token, which holds the arguments of the address only."""
    secret = site.secrets["admin"]
    with site.logged_in("admin") as client:
        client.headers["x-request-mark"] = "a header of its own"
        source = client.get("/page", params={"run_id": "7"}).text

    payloads = [payload for payload in map(_payload, _TOKEN.findall(source)) if payload]
    assert [payload["arguments"] for payload in payloads] == [{"run_id": [b"7"]}]
    assert [payload for payload in payloads if payload["headers"] or payload["cookies"]] == []
    for gives_away in (secret, secret.rpartition("_")[2], "ator_token", "a header of its own"):
        assert gives_away not in source + str(payloads)


def test_what_is_looked_for_would_be_found() -> None:
    """The token of a page that includes headers is read by the same code."""
    token = generate_jwt_token(generate_session_id(), extra_payload={"headers": {"cookie": "a secret"}})

    assert [payload["headers"] for payload in map(_payload, _TOKEN.findall(f'{{"token":"{token}"}}'))] == [
        {"cookie": "a secret"}
    ]


def _payload(token: str) -> dict[str, Any]:
    try:
        return get_token_payload(token)
    except Exception:  # any other long word of the page
        return {}
