"""What a client of a server adds to the registry's contract: the errors of the other end, names, uploads."""

from __future__ import annotations

import asyncio
import json
import logging
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ator_lib.errors import (
    AtorError,
    CapacityError,
    ConflictError,
    NotFoundError,
    ResultsError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from ator_lib.model import Holder, LocationStatus, Refusal, Run, RunRequest
from ator_lib.registry import wire
from ator_lib.registry.client import ServerClient
from ator_lib.registry.problems import PROBLEMS, error_from_json
from ator_lib.registry.remote import RemoteRegistry
from ator_lib.registry.remote_tables import RemoteBaselines, RemoteLocations
from ator_lib.server.problems import answer_error
from ator_lib.workspace.workspace import Workspace
from tests.support.flaky import SOON, Flaky, flaky, registry, server, workspace
from tests.support.served import listening

__all__ = ["flaky", "registry", "server", "workspace"]  # fixtures

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


def test_filters_too_long_for_an_address_are_refused(registry: RemoteRegistry) -> None:
    """Before they are sent, by the name that they have here."""
    for ask in (registry.history, registry.count):
        with pytest.raises(UsageError, match=r"the filters have .* a server takes 10,000, give fewer"):
            ask({"run_id": list(range(5000))})


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


@pytest.mark.parametrize("name", ["a\ud800", "a\0", "", " a", ".", "..", "x" * 501])
def test_names_that_cannot_be_given(registry: RemoteRegistry, server: ServerClient, flaky: Flaky, name: str) -> None:
    """They are refused before they are sent: on the way they would become others, or another address."""
    run = registry.register(RunRequest())
    flaky.asked.clear()
    baselines, locations = RemoteBaselines(server), RemoteLocations(server)
    for act in (
        lambda: baselines.pin(name, run.run_id),
        lambda: baselines.remove(name),
        lambda: locations.add(name),
        lambda: locations.change(name, capacity=2),
    ):
        with pytest.raises(UsageError, match=r"the name of a (baseline|location)"):
            act()
    with pytest.raises(UsageError, match="which means something else"):
        baselines.pin("previous", run.run_id)
    assert flaky.asked == []


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
        assert registry.upload(run.run_id, file)[0].run_id == run.run_id
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
