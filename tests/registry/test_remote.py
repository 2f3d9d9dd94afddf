"""What a client of a server adds to the registry's contract: lost answers, tokens, other people's servers."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ator_lib.errors import (
    AccessError,
    AtorError,
    CapacityError,
    ConflictError,
    NotFoundError,
    ResultsError,
    SettingsError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from ator_lib.model import Holder, LocationStatus, Refusal, Run, RunRequest, RunStatus
from ator_lib.registry import wire
from ator_lib.registry.client import ServerClient
from ator_lib.registry.problems import PROBLEMS, error_from_json
from ator_lib.registry.remote import RemoteRegistry
from ator_lib.registry.remote_tables import RemoteBaselines, RemoteLocations
from ator_lib.server.app import create_app
from ator_lib.server.problems import answer_error
from ator_lib.workspace.connect import connect
from ator_lib.workspace.workspace import Workspace
from tests.support.flaky import Flaky
from tests.support.served import listening

SOON = (0.02, 0.02, 0.02)
SECRET = "ator_0123456789abcdef_very-secret"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Make the workspace that is served."""
    return connect(tmp_path / "data")


@pytest.fixture
def flaky(workspace: Workspace) -> Flaky:
    """Make the server's application."""
    return Flaky(create_app(workspace, {}))


@pytest.fixture
def server(flaky: Flaky) -> Iterator[ServerClient]:
    """Start the server and return a client that does not wait long."""
    with listening(flaky) as url:
        yield ServerClient(url, pauses_s=SOON)


@pytest.fixture
def registry(server: ServerClient) -> RemoteRegistry:
    """Return the server's registry."""
    return RemoteRegistry(server)


@pytest.fixture
def nobody() -> Iterator[str]:
    """Address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- errors ---


def test_every_error_comes_back_as_itself() -> None:
    """By the one table that server and client share; what broke in a server is its store to a client."""
    refusal = Refusal(
        location="lab-1",
        taken=Decimal("0.1234567890123456789"),
        requested=Decimal("0.4"),
        limit=Decimal(1),
        holders=(Holder(run_id=1, test=None, factor=Decimal("0.1")),),
        ahead=(Holder(run_id=2, test="ü", factor=Decimal("0.9")),),
        status=LocationStatus.DRAINING,
    )
    logging.disable()
    for kind in PROBLEMS:
        error = CapacityError(refusal) if kind is CapacityError else kind("what it said")
        answer = asyncio.run(
            answer_error(Request({"type": "http", "method": "GET", "path": "/", "headers": []}), error)
        )
        read = error_from_json(json.loads(bytes(answer.body)))
        assert type(read) is (StoreError if kind is AtorError else kind)
        if isinstance(read, CapacityError):
            assert read.refusal == refusal
        elif answer.status_code < 500:
            assert str(read) == "what it said"
    logging.disable(logging.NOTSET)


def test_an_error_of_a_newer_server_is_still_one() -> None:
    """Its words are shown, under the class of what is not known."""
    error = error_from_json({"error": "teapot", "message": "short and stout"})
    assert (type(error), str(error)) == (StoreError, "short and stout")


def test_a_surprise_in_the_server_has_its_id(
    registry: RemoteRegistry, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not asked again, and whoever looks after the server finds it in its log."""
    logging.disable()
    monkeypatch.setattr(workspace.parts.registry, "running", lambda: 1 / 0)
    with pytest.raises(StoreError, match=r"something broke in the server \(its log has more under id [0-9a-f]{32}\)"):
        registry.running()
    logging.disable(logging.NOTSET)


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


# --- the rest of the contract ---


def test_long_histories_come_in_parts(registry: RemoteRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order asked for, up to the limit, and with the cursor behind it."""
    for number in range(7):
        registry.register(RunRequest(test=f"t{number % 3}"))
    monkeypatch.setattr(wire, "MOST_PER_PAGE", 2)
    for limit in (0, 1, 2, 5, 7, 9):
        page = registry.history({"test": ["t0", "t1"]}, order="test", limit=limit)
        assert [run.run_id for run in page.runs] == [1, 4, 7, 2, 5][:limit]
        assert (page.next_cursor is None) is (limit in (0, 5, 7, 9))
    first = registry.history(order="-test", limit=3)
    second = registry.history(order="-test", limit=9, cursor=first.next_cursor)
    assert [run.run_id for run in first.runs + second.runs] == [6, 3, 5, 2, 7, 4, 1]


@pytest.mark.parametrize("name", ["release 1", "a/b", "%2F", "ü?#&", "..a"])
def test_names_of_every_kind(server: ServerClient, name: str) -> None:
    """Locations and baselines are found under any name that may be given."""
    registry, baselines, locations = RemoteRegistry(server), RemoteBaselines(server), RemoteLocations(server)
    run = registry.register(RunRequest())
    pinned = baselines.pin(name, run.run_id)
    assert (pinned.name, baselines.get(name), baselines.list()) == (name, pinned, [pinned])
    assert baselines.remove(name) == pinned
    with pytest.raises(NotFoundError, match="there is no baseline"):
        baselines.get(name)
    locations.add(name, capacity="2.50")
    assert locations.change(name, description="rack 7").capacity == Decimal("2.5")
    assert locations.get(name).description == "rack 7"


def test_deleting(registry: RemoteRegistry, server: ServerClient) -> None:
    """An ended run that nobody compares with goes."""
    run = registry.register(RunRequest(test="t"))
    with pytest.raises(ConflictError, match="cancel it first"):
        registry.delete(run.run_id)
    registry.complete(run.run_id, "success")
    RemoteBaselines(server).pin("b", run.run_id)
    with pytest.raises(ConflictError, match="is the baseline 'b'"):
        registry.delete(run.run_id)
    RemoteBaselines(server).remove("b")
    assert registry.delete(run.run_id).test == "t"
    with pytest.raises(NotFoundError):
        registry.get(run.run_id)


def test_what_could_not_come_back_as_it_went_is_refused(registry: RemoteRegistry) -> None:
    """A header takes less than a database; half a character is none anywhere."""
    for key in ("", " a", "ü", "a\nb"):
        with pytest.raises(UsageError, match="idempotency key"):
            registry.register(RunRequest(), idempotency_key=key)
    for odd in ({"test": "\ud800"}, {"priority": 1.5}, {"attributes": {"a": float("nan")}}, {"test": 7}):
        with pytest.raises(UsageError):
            registry.register(RunRequest(**odd))
    with pytest.raises(UsageError):
        registry.queue("\ud800")
    assert registry.history().runs == ()


def test_a_long_error_does_not_lose_the_outcome(registry: RemoteRegistry) -> None:
    """As much is kept as the server takes."""
    run = registry.register(RunRequest())
    assert registry.complete(run.run_id, "failure", error="\0\ud800" + "x" * 20_000).error == "?" + "x" * 9_999


# --- uploads ---


class Taker:
    """Counts what is sent to it, loses the first answers, and knows one run."""

    def __init__(self, run: Run, *, losing: int = 0) -> None:
        self._run = wire.run_to_json(run)
        self._losing = losing
        self.lengths: list[str] = []
        self.counts: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        answer: Response = JSONResponse(self._run)
        request = Request(scope, receive)
        if scope["method"] == "POST":
            self.lengths.append(request.headers["content-length"])
            self.counts.append(sum([len(part) async for part in request.stream()]))
            answer = JSONResponse({"run": self._run})
            if len(self.counts) <= self._losing:
                answer = HTMLResponse("bad gateway", 502)
        await answer(scope, receive, send)


@pytest.fixture
def run(workspace: Workspace) -> Run:
    """Make a run's record."""
    return workspace.register(test="t").record


def test_a_large_file_is_sent_in_parts(run: Run, tmp_path: Path) -> None:
    """Its length is announced, and it is never in memory; a lost answer is asked for once more."""
    file = tmp_path / "large"
    with file.open("wb") as content:
        content.truncate(32 * 2**20)
    taker = Taker(run, losing=1)
    with listening(taker) as url:
        registry = RemoteRegistry(ServerClient(url, pauses_s=SOON))
        tracemalloc.start()
        assert registry.upload(run.run_id, file).run_id == run.run_id
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert taker.counts == [32 * 2**20] * 2
    assert taker.lengths == [str(32 * 2**20)] * 2
    assert peak < 8 * 2**20


def test_an_upload_that_stays_without_an_answer(run: Run, tmp_path: Path) -> None:
    """It is sent twice and no more, and sending it again is safe."""
    file = tmp_path / "results.csv"
    file.write_bytes(b"x" * 100)
    taker = Taker(run, losing=9)
    with listening(taker) as url, pytest.raises(StoreUnavailableError, match=r"is not known.*doing it again is safe"):
        RemoteRegistry(ServerClient(url, pauses_s=SOON)).upload(run.run_id, file)
    assert taker.counts == [100] * 2


def test_what_cannot_be_uploaded(registry: RemoteRegistry, tmp_path: Path) -> None:
    """No folder, no missing file, nothing for a run that is not there, and nothing that no reader knows."""
    with pytest.raises(UsageError, match="is a folder: give the one file"):
        registry.upload(1, tmp_path)
    with pytest.raises(UsageError, match="is no file"):
        registry.upload(1, tmp_path / "missing")
    file = tmp_path / "results.csv"
    file.write_bytes(b"nonsense\0")
    with pytest.raises(NotFoundError, match="there is no run 1"):
        registry.upload(1, file)
    run = registry.register(RunRequest())
    with pytest.raises(ResultsError, match="in no format that is known"):
        registry.upload(run.run_id, file)
