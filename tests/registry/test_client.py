"""Asking a server: answers that get lost, tokens, and other people's servers."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from ator_lib.errors import (
    AccessError,
    AtorError,
    CapacityError,
    ConflictError,
    SettingsError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from ator_lib.model import Run, RunRequest, RunStatus
from ator_lib.registry.client import ServerClient
from ator_lib.registry.remote import RemoteRegistry
from tests.support.flaky import SOON, Flaky, flaky, registry, server, workspace
from tests.support.served import listening

__all__ = ["flaky", "registry", "server", "workspace"]  # fixtures

SECRET = "ator_0123456789abcdef_very-secret"


@pytest.fixture
def nobody() -> Iterator[str]:
    """Address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- answers that are lost ---

Act = Callable[[RemoteRegistry, Run], Run]


@pytest.mark.parametrize(
    ("path", "act", "status"),
    [
        ("/complete", lambda registry, run: registry.complete(run.run_id, "failure", lease_id=run.lease_id), "failure"),
        ("/heartbeat", lambda registry, run: registry.renew(run.run_id, run.lease_id, lease_s=60), "running"),
        ("/cancel", lambda registry, run: registry.cancel(run.run_id), "running"),
        ("/runs/1", lambda registry, run: registry.update(run.run_id, add_tags=["a"]), "running"),
        ("/runs/1", lambda registry, run: registry.get(run.run_id), "running"),
    ],
)
def test_what_may_be_done_twice_is_asked_again(
    registry: RemoteRegistry, flaky: Flaky, path: str, act: Act, status: str
) -> None:
    """The first answer was lost after it was done; the caller does not notice."""
    run = registry.register(RunRequest(), lease_s=60)
    flaky.lose(path)
    assert act(registry, run).status == status
    assert flaky.asked.count(path) == 2


def test_a_registration_whose_answer_is_lost_is_one_run(registry: RemoteRegistry, flaky: Flaky) -> None:
    """Each has a key of its own, also when the caller gave none; the lease comes with the second answer."""
    flaky.lose("/register")
    run = registry.register(RunRequest(factor=Decimal("0.9")), lease_s=60)
    assert run.lease_id is not None
    assert [kept.run_id for kept in registry.history().runs] == [run.run_id]
    first, second = (headers["idempotency-key"] for headers in flaky.headers[:2])
    assert first == second
    registry.register(RunRequest())
    assert flaky.headers[-1]["idempotency-key"] != first


def test_a_queued_run_whose_answers_are_lost(registry: RemoteRegistry, flaky: Flaky) -> None:
    """It enters once, starts once, and leaves once."""
    holder = registry.register(RunRequest(factor=Decimal("0.9")))
    flaky.lose("/register", "/runs/2/start", "/runs/3/leave")
    queued, other = (registry.enqueue(RunRequest(factor=Decimal("0.9")), queue_lease_s=60).run for _ in range(2))
    assert [place.run.run_id for place in registry.queue()] == [2, 3]
    registry.complete(holder.run_id, "success")
    assert registry.start(queued.run_id, str(queued.lease_id), queue_lease_s=60).run.status is RunStatus.RUNNING
    assert registry.leave(other.run_id, str(other.lease_id), reason="why").status is RunStatus.CANCELLED


def test_what_must_not_be_done_twice_is_not_asked_again(registry: RemoteRegistry, flaky: Flaky) -> None:
    """The caller is told that nobody knows whether it was done."""
    run = registry.register(RunRequest())
    flaky.lose("/runs/1/lease")
    with pytest.raises(StoreUnavailableError, match="whether run 1 was put under a lease is not known") as caught:
        registry.lease(run.run_id, lease_s=60)
    assert caught.value.in_doubt
    assert flaky.asked.count("/runs/1/lease") == 1
    with pytest.raises(ConflictError, match="has one already"):
        registry.lease(run.run_id, lease_s=60)


def test_a_server_that_says_that_nothing_was_done_is_believed() -> None:
    """Then even what must not be done twice is asked again, and the error leaves no doubt."""
    away = {"error": "store_unavailable", "message": "the database is away", "in_doubt": False}
    flaky = Flaky(JSONResponse(away, 503))
    with listening(flaky) as url:
        registry = RemoteRegistry(ServerClient(url, pauses_s=SOON))
        with pytest.raises(StoreUnavailableError, match="run 1 was not put under a lease") as caught:
            registry.lease(1, lease_s=60)
    assert not caught.value.in_doubt
    assert flaky.asked == ["/runs/1/lease"] * 4


def test_a_server_that_stays_away_is_told_with_the_state(registry: RemoteRegistry, flaky: Flaky) -> None:
    """Whether it was registered is not known, and how to ask safely; four attempts were made."""
    flaky.refuse(504, times=4)
    with pytest.raises(StoreUnavailableError, match="whether the run was registered is not known") as caught:
        registry.register(RunRequest(), idempotency_key="job-7")
    assert "answered 504 Gateway Timeout" in str(caught.value)
    assert "asking again with idempotency_key='job-7' gives the same run" in str(caught.value)
    assert caught.value.in_doubt
    assert flaky.asked == ["/register"] * 4


def test_nothing_was_done_where_nobody_listens(nobody: str) -> None:
    """Then it is said so; looking has no such state to tell."""
    registry = RemoteRegistry(ServerClient(nobody, pauses_s=SOON))
    with pytest.raises(
        StoreUnavailableError, match=f"the run was not registered: {nobody} cannot be reached"
    ) as caught:
        registry.register(RunRequest())
    assert not caught.value.in_doubt
    with pytest.raises(StoreUnavailableError, match=f"^{nobody} cannot be reached"):
        registry.running()


def test_a_server_says_when_to_come_back(registry: RemoteRegistry, flaky: Flaky) -> None:
    """Seconds are waited for, within bounds; what is no number is not."""
    flaky.refuse(503, {"Retry-After": "1"})
    begin = time.monotonic()
    assert registry.running() == []
    assert time.monotonic() - begin >= 1
    flaky.refuse(503, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})
    assert registry.running() == []


def test_a_heartbeat_does_not_outlast_its_use(nobody: str) -> None:
    """After a third of the lease the next beat is due."""
    registry = RemoteRegistry(ServerClient(nobody, pauses_s=(0.01, 3600)))
    with pytest.raises(StoreUnavailableError):
        registry.renew(1, "lease", lease_s=3)


def test_a_refusal_is_not_asked_again(registry: RemoteRegistry, flaky: Flaky) -> None:
    """A full location stays full for the caller to decide."""
    registry.register(RunRequest(factor=Decimal("0.9")))
    with pytest.raises(CapacityError):
        registry.register(RunRequest(factor=Decimal("0.9")))
    assert flaky.asked.count("/register") == 2


# --- tokens and addresses ---


def test_the_token_goes_to_the_server_and_nowhere_else(
    flaky: Flaky, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the header of each request, and in no repr, error or log; no proxy stands before loopback."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    caplog.set_level(logging.DEBUG)
    with listening(flaky) as url:
        client = ServerClient(url, SECRET, pauses_s=SOON)
        with pytest.raises(AccessError, match="token= or ATOR_TOKEN") as caught:
            client.get("/status")
    assert flaky.headers[0]["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in f"{client!r} {vars(client)} {caught.value} {caplog.text}"


def test_a_redirect_is_not_followed(flaky: Flaky, server: ServerClient) -> None:
    """The token is not for whoever is there; the address is shown."""
    flaky.refuse(307, {"Location": "https://elsewhere.example/status"})
    with pytest.raises(StoreError, match=r"leads on to https://elsewhere\.example/status, which is not followed"):
        server.get("/status")
    assert flaky.asked == ["/status"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://ann:hunter2@lab:8000", "holds a user or a password: give a token instead"),
        ("http://lab:8000/?token=hunter2", "ends before"),
        ("http://lab:8000#hunter2", "ends before"),
        ("http://", "is http"),
        ("http://lab:hunter2", "is http"),
        ("http://[hunter2", "is http"),
        ("ftp://hunter2", "is http"),
        ("hunter2:8000", "is http"),
    ],
)
def test_an_address_that_is_none(url: str, words: str) -> None:
    """What may be a secret in the wrong place is not repeated."""
    with pytest.raises(SettingsError, match=words) as caught:
        ServerClient(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("token", ["", " ", "hunter2\nX-Evil: 1", "hunter2 x", "hunter2ü", "hunter2\0"])
def test_a_token_that_is_none(token: str) -> None:
    """It is refused before it gets into a header, and not repeated."""
    with pytest.raises(SettingsError, match="no ATOR token") as caught:
        ServerClient("http://127.0.0.1:1", token)
    assert "hunter2" not in str(caught.value)


def test_a_token_in_the_clear_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """For each server; not on loopback, not over TLS, not without a token."""
    for url in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://lab.example"):
        ServerClient(url, SECRET)
    ServerClient("http://lab.example:8000")
    assert caplog.records == []
    for _ in range(2):
        ServerClient("http://lab.example:8000", SECRET)
    (record,) = caplog.records
    assert "travels unencrypted to http://lab.example:8000" in record.getMessage()
    assert SECRET not in record.getMessage()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (HTMLResponse("<h1>nginx</h1>"), StoreError, "answered 200 OK, and not in an ATOR server's words"),
        (JSONResponse([1]), StoreError, "Is the address right"),
        (JSONResponse({"runs": []}), StoreError, "has no list of running"),
        (JSONResponse({"running": [{"id": 1}]}), StoreError, "no Run that this version of ATOR understands"),
        (JSONResponse({"running": [7]}), StoreError, "no Run that this version"),
        (HTMLResponse("<h1>no</h1>", 404), StoreError, "answered 404"),
        (HTMLResponse("<h1>log in</h1>", 401), AccessError, "answered 401"),
        (HTMLResponse("<h1>too long</h1>", 413), UsageError, "answered 413"),
    ],
)
def test_somebody_elses_server(answer: Response, error: type[AtorError], words: str) -> None:
    """Whatever it says, the caller gets an error of ours with the address."""
    with listening(answer) as url, pytest.raises(error, match=words):
        RemoteRegistry(ServerClient(url)).running()
