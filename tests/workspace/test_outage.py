"""The team's database goes away under running work: for a while it does not matter, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext

from ator_lib.errors import NotFoundError, StoreUnavailableError
from ator_lib.model import RunStatus
from ator_lib.runners.locust import Locust
from ator_lib.sql.engine import open_engine, read
from ator_lib.workspace.connect import connect
from ator_lib.workspace.workspace import Workspace
from tests.support.cut import Cut
from tests.support.files import synthetic_csv

WAIT_S = 60.0


@pytest.fixture
def workspace(cut: Cut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace on a PostgreSQL that can be cut off."""
    monkeypatch.setenv("ATOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATOR_LEASE_S", "15")
    workspace = connect(cut.url)
    yield workspace
    workspace.parts.engine.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the database to come back."""
    monkeypatch.setattr("ator_lib.sql.retry._FIRST_PAUSE_S", 1000.0)


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


def failing(workspace: Workspace) -> threading.Event:
    """Say when the database refuses a new connection, and not only when an old one turns out to be dead."""
    failed = threading.Event()

    def note(context: ExceptionContext) -> None:
        if context.connection is None:
            failed.set()

    event.listen(workspace.parts.engine, "handle_error", note)
    return failed


def test_a_run_survives_an_outage_shorter_than_its_lease(cut: Cut, workspace: Workspace) -> None:
    """Heartbeats that fail are made up for, and the block's end waits for the database to be back."""
    with workspace.register(test="t", location="lab", factor="0.9", lease=30) as run:
        first = run.record.lease_expires_at
        assert first is not None
        failed = failing(workspace)
        cut.cut()
        assert failed.wait(WAIT_S)  # a heartbeat: nobody else asks anything now
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


LOSSES = [Cut.lose_commit, Cut.lose_answer]


@pytest.mark.parametrize("loss", LOSSES)
def test_an_ingest_whose_commit_is_in_doubt_is_done_once(
    cut: Cut, workspace: Workspace, tmp_path: Path, loss: Callable[..., None]
) -> None:
    """The connection breaks at the commit: nobody notices."""
    loss(cut, of=b"INSERT INTO ingests")
    run = workspace.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    assert len(run.samples()) == 3
    assert len(workspace.history()) == 1
    assert len(list((workspace.data / "results").iterdir())) == 1


@pytest.mark.parametrize("loss", LOSSES)
def test_a_deletion_whose_commit_is_in_doubt_is_done_once(
    cut: Cut, workspace: Workspace, tmp_path: Path, loss: Callable[..., None]
) -> None:
    """The same, and its results go with it."""
    run = workspace.ingest(synthetic_csv(tmp_path / "samples.csv"), test="t")
    loss(cut, of=b"DELETE FROM")
    assert workspace.delete(run).test == "t"
    assert workspace.history().empty
    assert list((workspace.data / "results").iterdir()) == []
    with pytest.raises(NotFoundError):
        workspace.delete(run)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("loss", LOSSES)
def test_the_errors_say_that_nobody_knows(
    cut: Cut, workspace: Workspace, tmp_path: Path, loss: Callable[..., None]
) -> None:
    """The database stays away since the commit; later the same can be asked again."""
    file = synthetic_csv(tmp_path / "samples.csv")
    loss(cut, of=b"INSERT INTO ingests", then_away=True)
    with pytest.raises(StoreUnavailableError, match=r"whether .*samples.csv was ingested is not known"):
        workspace.ingest(file, test="t")
    cut.mend()
    run = workspace.ingest(file, test="t")
    assert len(workspace.history()) == 1
    loss(cut, of=b"DELETE FROM", then_away=True)
    with pytest.raises(StoreUnavailableError, match=f"whether run {run.run_id} was deleted is not known"):
        workspace.delete(run)
    cut.mend()
    assert workspace.history().empty == (loss is Cut.lose_answer)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("attached", [True, False])
def test_results_and_what_was_taken_for_granted_come_together(
    cut: Cut, workspace: Workspace, tmp_path: Path, attached: bool
) -> None:
    """An ingest that broke off is made whole by the next one."""
    naive = tmp_path / "naive.csv"
    naive.write_text("duration_ms,success,started_at\n1,true,2026-11-02 10:00:00\n")
    owner = workspace.register(test="t").run_id if attached else None
    cut.lose_commit(of=b"INSERT INTO ingests", then_away=True)
    with pytest.raises(StoreUnavailableError):
        workspace.ingest(naive, run=owner)
    cut.mend()
    run = workspace.ingest(naive, run=owner)
    report = run.ingest_report()
    assert report is not None
    assert "UTC" in report.notes[0]
