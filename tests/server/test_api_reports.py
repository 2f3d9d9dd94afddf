"""Reports are made when they are asked for, one at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import ator_lib
from ator_lib.reports.facts import facts_in
from ator_lib.server.turns import Turns
from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.files import synthetic_csv
from tests.support.served import BLANK, ChangingServer, served


class QuickReports(Workspace):
    """Writes each report as plain data, which takes no notebook's seconds."""

    def report(self, subject: Any, path: Path | str = "report.html", **options: Any) -> Path:
        """Write the report of ``.json`` under the other name."""
        return super().report(subject, Path(path).with_suffix(".json"), **options).rename(path)


@pytest.fixture(scope="module")
def workspace_of_two(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Make a workspace of two runs with results, the first one pinned as ``before``."""
    folder = tmp_path_factory.mktemp("reported")
    workspace = ator_lib.connect(folder / "data")
    for number in (1, 2):
        file = synthetic_csv(folder / f"{number}.csv", [10.0 * number, 20.0, 30.0] * 10)
        file.write_text(file.read_text().replace("T10:", f"T1{number}:"))  # one started after the other
        workspace.ingest(file, test="checkout", stream="main")
    workspace.baselines.pin("before", 1)
    return workspace


@pytest.fixture
def reported(changing: tuple[ChangingServer, httpx.Client], workspace_of_two: Workspace) -> httpx.Client:
    """Speak to a server of that workspace, whose reports are quick."""
    server, client = changing
    server.serve(QuickReports(workspace_of_two.parts))
    return client


def test_a_report_is_one_page_to_keep(reported: httpx.Client, workspace_of_two: Workspace, tmp_path: Path) -> None:
    """It is the library's own, and says what it is about."""
    with served(workspace_of_two, BLANK) as server:
        answer = httpx.get(f"{server.url}/runs/2/report", params={"baseline": "before"}, timeout=120)

    assert answer.status_code == 200, answer.text[:1000]
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-disposition"] == 'attachment; filename="run-2.html"'
    page = tmp_path / "report.html"
    page.write_bytes(answer.content)
    facts = facts_in(page)
    assert facts is not None
    assert (facts.kind, facts.run_ids) == ("run", (2,))


@pytest.mark.parametrize(
    ("address", "file_name", "title", "verdict"),
    [
        ("/runs/2/report", "run-2.html", "Run 2 · checkout", "success"),
        ("/runs/2/report?baseline=before", "run-2.html", "Run 2 · checkout", "regressed"),
        ("/compare/report?contender=2", "comparison.html", "Run 2 against run 1", "regressed"),
        ("/compare/report?contender=before&baseline=2", "comparison.html", "Run 1 against run 2", "improved"),
    ],
)
def test_reports_are_of_what_was_asked_for(
    reported: httpx.Client, address: str, file_name: str, title: str, verdict: str
) -> None:
    """Compared with the baseline that is named; who asks at the same time gets one, too."""
    with ThreadPoolExecutor() as pool:
        answers = [*pool.map(reported.get, [address] * 2)]

    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"] == f'attachment; filename="{file_name}"'
        about = answer.json()["report"]
        assert (about["title"], about["verdict"]) == (title, verdict)


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
