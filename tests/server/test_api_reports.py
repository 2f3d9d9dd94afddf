"""Reports are made when they are asked for, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import ator_lib
from ator_lib.reports.facts import facts_in
from ator_lib.server.turns import Turns
from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.files import synthetic_csv
from tests.support.served import BLANK, served


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Speak to a server of two runs with results, pinned as ``before`` and not at all."""
    folder = tmp_path_factory.mktemp("reported")
    workspace = ator_lib.connect(folder / "data")
    for number in (1, 2):
        file = synthetic_csv(folder / f"{number}.csv", [10.0 * number, 20.0, 30.0] * 10)
        workspace.ingest(file, test="checkout", stream="main")
    workspace.baselines.pin("before", 1)
    with served(workspace, BLANK) as server, httpx.Client(base_url=server.url, timeout=120) as client:
        yield client


def test_reports_of_a_run_and_of_a_comparison(reported: httpx.Client, tmp_path: Path) -> None:
    """Each is one page to keep, and names its runs; who asks at the same time gets the other one afterwards."""
    asked = ["/runs/2/report?baseline=before", "/compare/report?contender=2&baseline=1"]
    with ThreadPoolExecutor() as pool:
        of_run, of_comparison = pool.map(reported.get, asked)

    assert of_run.headers["content-disposition"] == 'attachment; filename="run-2.html"'
    assert of_comparison.headers["content-disposition"] == 'attachment; filename="comparison.html"'
    for answer, kind in ((of_run, "run"), (of_comparison, "comparison")):
        assert answer.status_code == 200, answer.text[:1000]
        assert answer.headers["content-type"].startswith("text/html")
        page = tmp_path / f"{kind}.html"
        page.write_bytes(answer.content)
        facts = facts_in(page)
        assert facts is not None
        assert (facts.kind, facts.run_ids) == (kind, (2,))


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/runs/99/report", 404, "not_found"),
        ("/runs/2/report?baseline=99", 404, "not_found"),
        ("/runs/2/report?baseline=nobody", 404, "not_found"),
        ("/runs/1/report?baseline=previous", 404, "not_found"),
        ("/runs/2/report?baseline=previous:x", 422, "invalid"),
        ("/compare/report", 422, "invalid"),
        ("/compare/report?contender=99", 404, "not_found"),
        ("/compare/report?contender=2&baseline=" + "9" * 400, 404, "not_found"),
    ],
)
def test_what_cannot_be_reported(reported: httpx.Client, address: str, status: int, code: str) -> None:
    """It is told before anything is made."""
    refused(reported.get(address), status, code)


def test_a_run_without_results_has_no_report(api: httpx.Client, workspace: Workspace) -> None:
    """While it runs there may be one later; after that never."""
    run_id = registered(api)["run_id"]
    refused(api.get(f"/runs/{run_id}/report"), 409, "conflict")
    workspace.complete(run_id, "failure")
    refused(api.get(f"/runs/{run_id}/report"), 404, "not_found")


def test_one_at_a_time_and_few_wait() -> None:
    """Who comes while enough wait is not let in; each one's turn ends, also by an error."""
    turns = Turns(most_waiting=1)
    inside: list[int] = []
    most: list[int] = []

    async def take(number: int) -> None:
        async with turns.wait():
            inside.append(number)
            most.append(len(inside))
            await asyncio.sleep(0)
            inside.remove(number)
            raise ArithmeticError

    async def two() -> list[BaseException | None]:
        taking = [asyncio.create_task(take(number)) for number in range(2)]
        await asyncio.sleep(0)
        assert turns.are_taken
        return await asyncio.gather(*taking, return_exceptions=True)

    assert [type(outcome) for outcome in asyncio.run(two())] == [ArithmeticError] * 2
    assert (most, turns.are_taken) == ([1, 1], False)


def test_when_too_many_wait_the_next_is_told_to_come_again(workspace: Workspace) -> None:
    """In words, and with a time after which it is worth it."""
    with served(workspace, BLANK) as server, httpx.Client(base_url=server.url) as client:
        server.app.state.turns = Turns(most_waiting=-1)
        answer = client.get("/runs/1/report")

    assert "ask again" in refused(answer, 503, "busy")["message"]
    assert int(answer.headers["retry-after"]) > 0
