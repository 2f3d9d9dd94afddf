"""Who gets in: by which token, over HTTP and websocket, and with which role."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from ator_lib.errors import AccessError
from ator_lib.model import Role, Token
from ator_lib.registry.tokens import Tokens
from ator_lib.server.access import LOCAL, PRINCIPAL, Principal, by_cookie, needs
from ator_lib.server.guard import LOOPBACK_RULES, AccessRules, Guard
from ator_lib.sql.engine import open_engine
from tests.support.asgi import ask, talk
from tests.support.guarded import TOKENS_WANTED, Guarded, database, guarded, guarded_app, secrets, tokens

__all__ = ["database", "guarded", "secrets", "tokens"]  # fixtures

ROLES = ["viewer", "runner", "admin"]
NOT_HOLDING = ["revoked", "expired", "wrong secret", "unknown", "not a token"]

UNAUTHENTICATED = (401, "unauthenticated", "Bearer")


def bearer(secret: str) -> dict[str, str]:
    """Show a token as clients do."""
    return {"authorization": f"Bearer {secret}"}


def cookie(secret: str) -> dict[str, str]:
    """Show a token as a browser does that logged in."""
    return {"cookie": f"ator_token_8000={secret}"}


@pytest.fixture
def strict(guarded: Guarded) -> ASGIApp:
    """Return the application of a server that requires tokens."""
    return guarded(TOKENS_WANTED)


@pytest.fixture
def open_to_all(guarded: Guarded) -> ASGIApp:
    """Return the application of an open server on loopback."""
    return guarded(LOOPBACK_RULES)


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", "/run", ROLES),
        ("HEAD", "/run", ROLES),
        ("OPTIONS", "/run", ROLES),
        ("POST", "/register", ["runner", "admin"]),
        ("PUT", "/register", ["runner", "admin"]),
        ("PATCH", "/register", ["runner", "admin"]),
        ("DELETE", "/register", ["runner", "admin"]),
        ("BREW", "/register", ["runner", "admin"]),
        ("GET", "/settings", ["admin"]),
        ("POST", "/settings", ["admin"]),
        ("GET", "/nowhere", ROLES),
    ],
)
def test_each_role_may_do_what_it_covers(
    strict: ASGIApp, secrets: dict[str, str], method: str, target: str, allowed: list[str]
) -> None:
    """Looking takes a viewer, everything else a runner, and some endpoints an admin."""
    statuses = {role: ask(strict, method, target, headers=bearer(secrets[role])).status for role in ROLES}

    assert [role for role, status in statuses.items() if status != 403] == allowed
    assert 401 not in statuses.values()


def test_too_low_a_role_is_told_what_it_needs(strict: ASGIApp, secrets: dict[str, str]) -> None:
    """The guard and the endpoints refuse in the same shape, with the way out."""
    by_guard = ask(strict, "POST", "/register", headers=bearer(secrets["viewer"]))
    by_endpoint = ask(strict, "GET", "/settings", headers=bearer(secrets["viewer"]))

    for answer, needed in ((by_guard, "runner"), (by_endpoint, "admin")):
        assert (answer.status, answer.json["error"]) == (403, "forbidden")
        assert f"needs the role {needed}, and 'viewer' has the role viewer" in answer.json["message"]
        assert f"ator token create NAME --role {needed}" in answer.json["message"]


@pytest.mark.parametrize("role", ROLES)
def test_headers_and_cookie_all_show_a_token(strict: ASGIApp, secrets: dict[str, str], role: str) -> None:
    """The application is told whose token it is, however it came."""
    secret = secrets[role]
    for headers in (bearer(secret), {"authorization": f"bearer  {secret} "}, {"x-api-key": secret}, cookie(secret)):
        answer = ask(strict, headers=headers, target="/run")
        assert (answer.status, answer.json) == (200, {"name": role, "role": role})
        assert talk(strict, headers=headers, messages=["hello"])[1]["text"] == f"{role}: hello"


@pytest.mark.parametrize("kind", NOT_HOLDING)
def test_a_token_that_does_not_hold_is_refused(strict: ASGIApp, secrets: dict[str, str], kind: str) -> None:
    """Wherever it is shown, and the answer repeats nothing of it."""
    secret = secrets[kind]
    for headers in (bearer(secret), {"x-api-key": secret}, cookie(secret)):
        answer = ask(strict, headers=headers, target="/run")
        assert (answer.status, answer.json["error"], answer.headers["www-authenticate"]) == UNAUTHENTICATED
        assert secret not in answer.text
        assert [(sent["type"], sent["code"]) for sent in talk(strict, headers=headers)] == [("websocket.close", 1008)]


@pytest.mark.parametrize("target", ["/run", "/nowhere", "/openapi.json", "/health/", "//health", "/health/../run"])
def test_without_a_token_nothing_is_told(strict: ASGIApp, target: str) -> None:
    """Not even whether there is something at an address."""
    answer = ask(strict, target=f"http://x{target}")

    assert (answer.status, answer.json["error"], answer.headers["www-authenticate"]) == UNAUTHENTICATED
    assert "Authorization: Bearer" in answer.json["message"]


def test_a_websocket_without_a_token_is_refused_before_it_opens(strict: ASGIApp) -> None:
    """No message reaches the application; nor does a public path open one."""
    for target in ("/ws", "/health", "/login"):
        assert [(sent["type"], sent["code"]) for sent in talk(strict, target)] == [("websocket.close", 1008)]


def test_health_is_public(strict: ASGIApp) -> None:
    """Monitoring needs no token."""
    assert ask(strict, target="/health").status == 200


def test_everybody_is_local_admin_on_an_open_server(open_to_all: ASGIApp) -> None:
    """On loopback without required tokens a request needs nothing."""
    assert ask(open_to_all, target="/run").json == {"name": "local", "role": "admin"}
    assert ask(open_to_all, "POST", "/settings").status == 200
    assert talk(open_to_all, messages=["hello"])[1]["text"] == "local: hello"


def test_a_token_may_be_called_local() -> None:
    """It is somebody's all the same: what is done with it carries its name."""
    assert Principal(name="local", role=Role.ADMIN).token_name == "local"
    assert LOCAL.token_name is None


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_nobody_is_local_who_comes_through_a_proxy(open_to_all: ASGIApp, secrets: dict[str, str], header: str) -> None:
    """It may let in anybody, and says by its header that somebody else asks: so a token is needed."""
    forwarded = {header: "for=203.0.113.7"}
    for method, target in (("GET", "/run"), ("POST", "/settings")):
        answer = ask(open_to_all, method, target, headers=forwarded)
        assert (answer.status, answer.json["error"], answer.headers["www-authenticate"]) == UNAUTHENTICATED
        assert "through a proxy" in answer.json["message"]
    assert [(sent["type"], sent["code"]) for sent in talk(open_to_all, headers=forwarded)] == [
        ("websocket.close", 1008)
    ]
    for shown in (bearer(secrets["viewer"]), cookie(secrets["viewer"])):
        assert ask(open_to_all, target="/run", headers=forwarded | shown).json["name"] == "viewer"


@pytest.mark.parametrize("kind", NOT_HOLDING)
def test_a_token_shown_on_purpose_must_hold_also_on_an_open_server(
    open_to_all: ASGIApp, secrets: dict[str, str], kind: str
) -> None:
    """Whoever shows one learns that it does not hold, and does not become somebody else."""
    for headers in (bearer(secrets[kind]), {"x-api-key": secrets[kind]}):
        assert ask(open_to_all, target="/run", headers=headers).status == 401
        assert talk(open_to_all, headers=headers)[0]["code"] == 1008


def test_a_token_that_holds_counts_also_on_an_open_server(open_to_all: ASGIApp, secrets: dict[str, str]) -> None:
    """A viewer stays a viewer."""
    assert ask(open_to_all, target="/run", headers=bearer(secrets["viewer"])).json["name"] == "viewer"
    assert ask(open_to_all, "POST", "/register", headers=bearer(secrets["viewer"])).status == 403


def test_an_old_cookie_does_not_lock_a_browser_out_of_an_open_server(
    open_to_all: ASGIApp, secrets: dict[str, str]
) -> None:
    """Browsers send what they have kept, unasked."""
    assert ask(open_to_all, target="/run", headers=cookie(secrets["revoked"])).json["name"] == "local"


def test_cookies_of_servers_on_other_ports_are_others(strict: ASGIApp, secrets: dict[str, str]) -> None:
    """A browser sends the cookies of all ports of a host to each of them."""
    headers = {"cookie": f"ator_token_8001={secrets['admin']}; ator_token_8000={secrets['viewer']}"}
    assert ask(strict, target="/run", headers=headers).json["name"] == "viewer"

    headers = {"host": "localhost", "cookie": f"ator_token={secrets['runner']}"}
    assert ask(strict, target="/run", headers=headers).json["name"] == "runner"


def test_two_tokens_are_refused(strict: ASGIApp, secrets: dict[str, str]) -> None:
    """Nobody in between can have judged by one of them, and we by the other."""
    admin, viewer = (f"Bearer {secrets[role]}" for role in ("admin", "viewer"))
    for headers in (
        [("authorization", viewer), ("authorization", admin)],
        [("authorization", admin), ("authorization", "Basic eDp5")],
        [("authorization", admin), ("x-api-key", secrets["admin"])],
        [("x-api-key", secrets["viewer"]), ("x-api-key", secrets["admin"])],
    ):
        answer = ask(strict, target="/run", headers=headers)
        assert (answer.status, answer.json["message"]) == (401, "the request shows more than one token; send one")


def test_a_proxys_own_password_is_none_of_ours(strict: ASGIApp, secrets: dict[str, str]) -> None:
    """Basic authentication of a proxy may stand beside a key or a login, and is no token by itself."""
    basic = {"authorization": "Basic eDp5"}

    assert ask(strict, target="/run", headers=basic).status == 401
    for headers in (basic | {"x-api-key": secrets["viewer"]}, basic | cookie(secrets["viewer"])):
        assert ask(strict, target="/run", headers=headers).json["name"] == "viewer"


def test_a_header_counts_before_a_cookie(strict: ASGIApp, secrets: dict[str, str]) -> None:
    """What is shown on purpose decides, also when it does not hold."""
    headers = cookie(secrets["viewer"]) | bearer(secrets["admin"])
    assert ask(strict, target="/run", headers=headers).json["name"] == "admin"

    headers = cookie(secrets["viewer"]) | bearer(secrets["revoked"])
    assert ask(strict, target="/run", headers=headers).status == 401


def test_revoking_takes_effect_on_the_next_request(strict: ASGIApp, secrets: dict[str, str], tokens: Tokens) -> None:
    """Nothing is remembered between requests."""
    assert ask(strict, target="/run", headers=bearer(secrets["runner"])).status == 200
    tokens.revoke("runner")
    assert ask(strict, target="/run", headers=bearer(secrets["runner"])).status == 401


def test_another_way_to_log_in_joins_as_an_authenticator(tokens: Tokens) -> None:
    """Those of the list are asked in turn until one knows who asks."""

    async def by_badge(connection: HTTPConnection) -> Principal | None:
        badge = connection.headers.get("badge")
        return None if badge is None else Principal(name=badge, role=Role.RUNNER)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope[PRINCIPAL])

    seen: list[Principal] = []
    guard = Guard(app, rules=TOKENS_WANTED, authenticators=[by_cookie(tokens.authenticate), by_badge])
    talk(guard, headers={"badge": "ann"})

    assert seen == [Principal(name="ann", role=Role.RUNNER)]


def test_the_database_is_not_asked_on_the_event_loop() -> None:
    """A slow database holds up one request and not the server."""
    threads: list[int] = []

    def check(secret: str) -> Token | None:
        threads.append(threading.get_ident())
        return None

    async def ask_by_cookie() -> Principal | None:
        return await by_cookie(check)(HTTPConnection({"type": "http", "headers": [(b"cookie", b"ator_token=x")]}))

    assert asyncio.run(ask_by_cookie()) is None
    assert threads
    assert threading.get_ident() not in threads


def test_a_database_that_is_away_is_said_without_its_name(tmp_path: Path, secrets: dict[str, str]) -> None:
    """Clients that nobody has let in learn nothing of the server's inside, and may ask again."""
    app = guarded_app(TOKENS_WANTED, Tokens(open_engine(tmp_path / "nowhere" / "hidden.db")))
    answer = ask(app, target="/run", headers=bearer(secrets["admin"]))

    assert (answer.status, answer.json["error"], answer.json["in_doubt"]) == (503, "store_unavailable", False)
    assert "hidden" not in answer.text
    assert talk(app, headers=bearer(secrets["admin"]))[0]["code"] == 1013


def test_an_open_websocket_ends_when_its_token_is_revoked(
    guarded: Guarded, secrets: dict[str, str], tokens: Tokens
) -> None:
    """A page that stays open for hours takes nothing more from whoever was locked out."""
    app = guarded(AccessRules(requires_token=True, recheck_s=0))
    sent = talk(app, headers=cookie(secrets["viewer"]), messages=["before", lambda: tokens.revoke("viewer"), "after"])

    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert (sent[1]["text"], sent[2]["code"]) == ("viewer: before", 1008)


def test_an_open_websocket_shows_nothing_more_when_its_token_is_revoked(
    secrets: dict[str, str], tokens: Tokens
) -> None:
    """Nor does a live page that only the server talks on."""

    async def ticking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "before"})
        tokens.revoke("viewer")
        await send({"type": "websocket.send", "text": "after"})
        await send({"type": "websocket.close"})

    rules = AccessRules(requires_token=True, recheck_s=0)
    guard = Guard(ticking, rules=rules, authenticators=[by_cookie(tokens.authenticate)])
    sent = talk(guard, headers=cookie(secrets["viewer"]))

    assert [message.get("text") for message in sent if message["type"] == "websocket.send"] == ["before"]
    assert [message["code"] for message in sent if message["type"] == "websocket.close"] == [1008]


def test_an_open_websocket_is_judged_now_and_then_only(secrets: dict[str, str], tokens: Tokens) -> None:
    """A busy page does not ask the database for every message."""
    asked: list[str] = []

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        for number in range(50):
            await send({"type": "websocket.send", "text": str(number)})

    def check(secret: str) -> Token | None:
        asked.append(secret)
        return tokens.authenticate(secret)

    rules = AccessRules(requires_token=True, recheck_s=3600)
    sent = talk(Guard(busy, rules=rules, authenticators=[by_cookie(check)]), headers=cookie(secrets["viewer"]))

    assert len(sent) == 51
    assert asked == [secrets["viewer"]]


def test_needs_denies_what_no_guard_has_let_in() -> None:
    """An endpoint that forgot its guard is closed and not open."""

    async def need_admin() -> Principal:
        return await needs(Role.ADMIN)(HTTPConnection({"type": "http", "headers": []}))

    with pytest.raises(AccessError, match="nobody has logged in"):
        asyncio.run(need_admin())
