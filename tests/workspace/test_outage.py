"""The team's database goes away under running work: for a while it does not matter, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ator_lib.errors import StoreUnavailableError
from ator_lib.model import RunStatus
from ator_lib.runners.locust import Locust
from ator_lib.sql.engine import open_engine, read
from ator_lib.workspace.connect import connect
from ator_lib.workspace.workspace import Workspace
from tests.support.cut import Cut

WAIT_S = 60.0


@pytest.fixture
def workspace(cut: Cut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace on a PostgreSQL that can be cut off."""
    monkeypatch.setenv("ATOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATOR_LEASE_S", "15")
    workspace = connect(cut.url)
    yield workspace
    workspace.parts.engine.dispose()


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s in vain for {what}"
        time.sleep(0.1)


def count(url: str, table: str) -> int:
    """Count rows past the cut."""
    engine = open_engine(url)
    with read(engine) as connection:
        rows = connection.scalar(text(f"SELECT count(*) FROM {table}"))
    engine.dispose()
    return int(rows)


def test_a_run_survives_an_outage_shorter_than_its_lease(cut: Cut, workspace: Workspace) -> None:
    """Heartbeats that fail are made up for, and the block's end waits for the database to be back."""
    with workspace.register(test="t", location="lab", factor="0.9", lease=30) as run:
        first = run.record.lease_expires_at
        assert first is not None
        cut.cut()
        time.sleep(2.5)  # one heartbeat at least
        cut.mend()
        wait_until(lambda: (run.refresh().record.lease_expires_at or first) > first, "a heartbeat")
        cut.cut()
        back = threading.Timer(0.7, cut.mend)
        back.start()
    back.join()
    assert run.status is workspace.get(run.run_id).status is RunStatus.SUCCESS


@pytest.mark.parametrize("loss", [Cut.lose_commit, Cut.lose_answer])
def test_results_are_recorded_once_when_the_last_commit_is_in_doubt(
    cut: Cut, workspace: Workspace, postgres_url: str, locustfile: Path, target: str, loss: Callable[..., None]
) -> None:
    """The database goes away just as the run completes, and comes back a second later."""
    live = workspace.submit(Locust(locustfile, host=target, users=1, run_time=1), test="t")
    loss(cut, of=b"INSERT INTO ingests", then_away=True)
    wait_until(lambda: cut.is_away, "the last commit")
    assert count(postgres_url, "ingests") == (loss is Cut.lose_answer)
    time.sleep(1)
    cut.mend()
    run = live.result()
    assert run.status is RunStatus.SUCCESS
    assert count(postgres_url, "ingests") == 1
    assert run.summary().iloc[-1].requests == len(run.samples()) > 0


def test_an_outage_longer_than_the_lease_loses_no_results(
    cut: Cut, workspace: Workspace, locustfile: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load is stopped with the lease, the error says where the results are, and they can be taken in later."""
    monkeypatch.setenv("ATOR_LEASE_S", "3")
    short = connect(cut.url)
    live = short.submit(Locust(locustfile, host=target, users=1, run_time=300), test="t")
    wait_until(lambda: (live.progress().requests or 0) > 0, "load")
    cut.cut()
    with pytest.raises(StoreUnavailableError, match=r"run 1 was not completed: PostgreSQL") as caught:
        live.result()
    (note,) = caught.value.__notes__
    assert "can be ingested from there" in note
    cut.mend()
    wait_until(lambda: not short.reap().empty or short.get(1).status.is_final, "the end of the lease")
    assert short.get(1).status is RunStatus.ABANDONED
    results = note.removeprefix("what run 1 measured is in ").removesuffix(": it can be ingested from there")
    assert short.ingest(results, run=1).summary().iloc[-1].requests > 0
