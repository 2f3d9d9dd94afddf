"""Host and Origin, the length of bodies, and the headers of every answer, whoever asks."""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from ator_lib.server.access import everybody
from ator_lib.server.guard import LOOPBACK_RULES, AccessRules, Guard
from tests.support.asgi import OWN_HOST, ask, talk
from tests.support.guarded import Guarded, database, guarded, tokens
from tests.support.served import listening

__all__ = ["database", "guarded", "tokens"]  # fixtures

MIB = 2**20
SMALL_UPLOADS = AccessRules(max_upload_bytes=3 * MIB)


@pytest.fixture
def app(guarded: Guarded) -> ASGIApp:
    """Return the application of an open server on loopback that takes uploads of 3 MiB."""
    return guarded(SMALL_UPLOADS)


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_answered_on_any_port(app: ASGIApp, host: str) -> None:
    """An SSH tunnel may use another port."""
    assert ask(app, target="/run", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8000",
        "[::1",
        "",
        "127.0.0.1@evil.example",
        "192.168.1.5",
    ],
)
def test_a_foreign_host_is_refused(app: ASGIApp, host: str) -> None:
    """A name that was rebound to loopback gets nothing, over HTTP and websocket, also where no token is needed."""
    for target in ("/run", "/health", "/login"):
        answer = ask(app, target=target, headers={"host": host})
        assert (answer.status, answer.json["error"]) == (403, "forbidden")
    assert talk(app, headers={"host": host})[0]["code"] == 1008


def test_two_hosts_are_refused(app: ASGIApp) -> None:
    """A proxy may have judged by the other one."""
    own = ("host", OWN_HOST)
    for headers in ([own, own], [own, ("host", "evil.example")], [("host", "evil.example"), own]):
        assert ask(app, target="/run", headers=headers).status == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:1", "null", "", "http://127.0.0.1", "http://[", "http://[x]"],
)
def test_a_foreign_origin_is_refused(app: ASGIApp, origin: str) -> None:
    """A page of another origin, even of another port of this machine, gets nothing."""
    assert ask(app, "POST", "/register", headers={"origin": origin}).status == 403
    assert talk(app, headers={"origin": origin})[0]["code"] == 1008


def test_an_own_origin_is_answered(app: ASGIApp) -> None:
    """Our own pages send their origin; two of them are as good as a foreign one only if one is."""
    own, foreign = ("origin", f"http://{OWN_HOST}"), ("origin", "http://evil.example")

    assert ask(app, "POST", "/register", headers=[own]).status == 200
    assert ask(app, "POST", "/register", headers=[own, foreign]).status == 403


def test_a_public_server_goes_by_the_names_that_it_was_given(guarded: Guarded) -> None:
    """No other name, and no address either."""
    app = guarded(AccessRules(host_names=frozenset({"ator.example"})))

    assert ask(app, target="/health", headers={"host": "ATOR.example:8000"}).status == 200
    for host in ("www.ator.example", "10.0.0.1", "localhost"):
        assert ask(app, target="/health", headers={"host": host}).status == 403


@pytest.mark.parametrize(("host", "status"), [("10.0.0.1", 200), ("[fe80::1]:80", 200), ("10.0.0.1.nip.io", 403)])
def test_a_server_on_all_addresses_goes_by_any_address(guarded: Guarded, host: str, status: int) -> None:
    """Names can be rebound and addresses cannot."""
    app = guarded(AccessRules(any_address=True))

    assert ask(app, target="/health", headers={"host": host}).status == status


@pytest.mark.parametrize("target", ["/health", "/run", "/nowhere", "/login"])
@pytest.mark.parametrize("rules", [LOOPBACK_RULES, AccessRules(requires_token=True)])
def test_every_answer_has_the_security_headers(guarded: Guarded, rules: AccessRules, target: str) -> None:
    """Also those of the guard itself; and no other site is allowed to read any of them."""
    for headers in ({}, {"host": "evil.example"}, {"origin": f"http://{OWN_HOST}"}):
        answer = ask(guarded(rules), target=target, headers=headers)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_body_may_have_a_mebibyte(app: ASGIApp) -> None:
    """Up to the limit it gets through, in any number of parts."""
    for parts in ([b"x" * MIB], [b"x" * 1024] * 1024, [b"", b"x" * MIB, b""]):
        assert ask(app, "POST", "/measured", body=parts).text == str(MIB)


@pytest.mark.parametrize("length", [str(MIB + 1), "9" * 18])
def test_a_length_that_is_too_long_is_refused_before_the_body(length: str) -> None:
    """The application is not asked, and so nothing is read."""
    reached: list[Scope] = []

    async def remember(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    guard = Guard(remember, rules=SMALL_UPLOADS, authenticators=[everybody])
    answer = ask(guard, "POST", "/measured", headers={"content-length": length})

    assert reached == []
    assert (answer.status, answer.json["error"], answer.headers["connection"]) == (413, "too_large", "close")
    assert f"{MIB} bytes" in answer.json["message"]


@pytest.mark.parametrize("length", [None, "10", "0", "-1", "abc", "²", "9" * 5000])
@pytest.mark.parametrize("target", ["/measured", "/read"])
def test_a_body_is_counted_whatever_it_says_of_itself(app: ASGIApp, target: str, length: str | None) -> None:
    """Chunked, or with a length that is a lie: what comes is what counts."""
    headers = {"content-type": "application/json"} | ({} if length is None else {"content-length": length})
    answer = ask(app, "POST", target, headers=headers, body=[b"x" * 1000] * 1100)

    assert (answer.status, answer.json["error"]) == (413, "too_large")


@pytest.mark.parametrize(("size", "status"), [(3 * MIB, 200), (3 * MIB + 1, 413)])
def test_uploads_have_a_limit_of_their_own(app: ASGIApp, size: int, status: int) -> None:
    """Results are longer than what else is sent."""
    parts = [b"x" * MIB, b"x" * MIB, b"x" * (size - 2 * MIB)]

    assert ask(app, "POST", "/runs/7/results", body=parts).status == status
    assert ask(app, "POST", "/runs/7/results", headers={"content-length": str(size)}, body=parts).status == status


def test_nothing_else_has_the_limit_of_uploads(app: ASGIApp) -> None:
    """Only the one address takes long bodies, and only by POST."""
    headers = {"content-length": str(2 * MIB)}
    assert ask(app, "PUT", "/runs/7/results", headers=headers).status == 413
    for target in ("/runs/7/8/results", "/runs/7/results/", "/x/runs/7/results", "/runs//results"):
        assert ask(app, "POST", target, headers=headers).status == 413


def test_no_more_is_read_than_the_limit() -> None:
    """An endless body ends at the limit: what was not asked for is not held anywhere."""
    read: list[int] = []

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            read.append(len(message["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})  # nobody hears that

    parts = [b"x" * 100_000] * 50
    answer = ask(Guard(reading, rules=LOOPBACK_RULES, authenticators=[everybody]), "POST", "/x", body=parts)

    assert answer.status == 413
    assert sum(read) <= MIB


def test_an_answer_that_has_begun_is_not_broken_off() -> None:
    """Whoever answers before the end of the body has answered."""

    async def hasty(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] == "http.request":
            pass
        await send({"type": "http.response.body", "body": b"done"})

    guard = Guard(hasty, rules=LOOPBACK_RULES, authenticators=[everybody])
    answer = ask(guard, "POST", "/x", body=[b"x" * MIB, b"x"])

    assert (answer.status, answer.text) == (200, "done")


def test_a_real_client_reads_why_its_body_is_too_long(app: ASGIApp) -> None:
    """With a length and chunked, through a real server."""
    with listening(app) as url, httpx.Client(base_url=url) as client:
        with_length = client.post("/measured", content=b"x" * (8 * MIB))
        chunked = client.post("/measured", content=(b"x" * 65_536 for _ in range(128)))
        after = client.post("/measured", content=b"x" * 10)

    assert [answer.status_code for answer in (with_length, chunked, after)] == [413, 413, 200]
    assert with_length.json()["error"] == chunked.json()["error"] == "too_large"


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Content-Length: 50"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length: -5"],
        ["Content-Length: 5x"],
        [f"Content-Length: {10**30}"],
    ],
)
def test_a_real_server_takes_no_ambiguous_length(app: ASGIApp, lines: list[str]) -> None:
    """A second request hidden in the body of the first would get past a proxy's own rules."""
    hidden = "GET /run HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = ["POST /measured HTTP/1.1", "Host: localhost", "Connection: close", *lines]
    with listening(app) as url:
        answers = _raw(url, "\r\n".join(head) + "\r\n\r\n" + "0\r\n\r\n" + hidden)

    assert answers.count("HTTP/1.1 ") == 1
    assert answers.startswith("HTTP/1.1 4")
    assert json.dumps({"name": "local"})[1:-1] not in answers


def _raw(url: str, text: str) -> str:
    """Send bytes as they are; give all that comes back."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        connection.sendall(text.encode())
        received = b""
        while part := connection.recv(65_536):
            received += part
    return received.decode()
