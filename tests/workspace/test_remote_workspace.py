"""``connect("http://…")``: the same workspace from a machine that has no database."""

from __future__ import annotations

import copy
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import ator_lib as ator
from ator_lib import RemoteWorkspace, RunStatus, Workspace
from ator_lib.errors import (
    AccessError,
    CapacityError,
    NeedsStoreError,
    RunCancelledError,
    SettingsError,
    StoreUnavailableError,
    UsageError,
)
from ator_lib.server.app import create_app
from ator_lib.server.guard import AccessRules
from ator_lib.workspace.remote import RemoteRun
from tests.support.files import synthetic_csv
from tests.support.flaky import Flaky
from tests.support.served import listening, wait_until

PROJECT = Path(__file__).parents[2]

WAITER = """
import sys, ator_lib as ator
ws = ator.connect(sys.argv[1])
ws.register(test="waiter", location="lab-1", factor="0.9", wait=True, on_queued=lambda _: print("queued", flush=True))
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Make the workspace that is served; who waits there keeps a place for three seconds."""
    with monkeypatch.context() as short:
        short.setenv("ATOR_LEASE_S", "3")
        return ator.connect(tmp_path / "data")


@pytest.fixture
def url(workspace: Workspace) -> Iterator[str]:
    """Serve it to everybody on loopback."""
    with listening(create_app(workspace, {})) as url:
        yield url


@pytest.fixture
def remote(url: str) -> RemoteWorkspace:
    """Connect to the server."""
    remote = ator.connect(url)
    assert isinstance(remote, RemoteWorkspace)
    return remote


@pytest.fixture
def guarded_url(workspace: Workspace) -> Iterator[str]:
    """Serve it to those who have a token."""
    with listening(create_app(workspace, {}, rules=AccessRules(requires_token=True))) as url:
        yield url


# --- connecting ---


def test_a_ci_job_from_start_to_end(workspace: Workspace, guarded_url: str, tmp_path: Path) -> None:
    """Register, upload, complete: with the token of a runner and no database password."""
    _, token = workspace.tokens.create("ci", "runner")
    remote = ator.connect(guarded_url, token=token)
    run = remote.register(test="checkout", stream="main", location="lab-1", factor=0.4, tags=["nightly"])
    assert (run.status, run.record.factor) == (RunStatus.RUNNING, Decimal("0.4"))
    with pytest.raises(CapacityError) as refused:
        remote.register(location="lab-1", factor="0.6")
    assert refused.value.refusal.holders[0].run_id == run.run_id
    assert run.upload(synthetic_csv(tmp_path / "samples.csv")) is run
    assert remote.ingest(tmp_path / "samples.csv", run=run.run_id).run_id == run.run_id
    run.complete("success")
    assert workspace.get(run.run_id).summary().requests.max() == 3
    assert remote.history(tag="nightly", stream="MA%").run_id.to_list() == [run.run_id]
    assert remote.update(run.run_id, add_tags=["release"]).record.tags == ("nightly", "release")
    assert (len(remote.running()), len(remote.queue()), len(remote.locations.list())) == (0, 0, 1)
    with pytest.raises(AccessError, match="needs the role admin"):
        remote.locations.add("lab-2")


def test_tokens_that_do_not_hold(workspace: Workspace, guarded_url: str) -> None:
    """Connecting says so at once, and how to give one; the token itself is in no message."""
    made, token = workspace.tokens.create("ci", "viewer")
    with pytest.raises(AccessError, match="token= or ATOR_TOKEN"):
        ator.connect(guarded_url)
    with pytest.raises(AccessError, match="needs the role runner"):
        ator.connect(guarded_url, token=token).register()
    workspace.tokens.revoke(made.token_id)
    with pytest.raises(AccessError, match="was revoked") as refused:
        ator.connect(guarded_url, token=token)
    assert token not in str(refused.value)


def test_a_file_that_is_too_long_for_the_server(workspace: Workspace, tmp_path: Path) -> None:
    """It says what it takes."""
    file = tmp_path / "results.csv"
    file.write_bytes(b"x" * 2000)
    rules = AccessRules(max_upload_bytes=1000)
    with listening(create_app(workspace, {}, rules=rules)) as url, pytest.raises(UsageError, match="the 1000 bytes"):
        ator.connect(url).register().upload(file)  # type: ignore[attr-defined]


def test_several_files_are_sent_as_one(remote: RemoteWorkspace, workspace: Workspace, tmp_path: Path) -> None:
    """A folder, too; the same again changes nothing, and the report says what was read and how it was called."""
    folder = tmp_path / "results"
    folder.mkdir()
    synthetic_csv(folder / "a.csv")
    columns = {"duration_ms": "duration_ms", "name": "name"}
    run = remote.register(test="t")
    for _ in range(2):
        run.upload(folder, columns=columns, started_at="2026-11-21T10:00:00", timezone="Europe/Berlin")
    report = run.ingest_report()
    assert report is not None
    assert (report.rows_kept, report.files) == (3, ("results.zip: results/a.csv",))
    assert workspace.get(run.run_id).ingest_report() == report
    single = remote.ingest(synthetic_csv(tmp_path / "other.csv"), run=remote.register(test="t"))
    assert single.ingest_report().files == ("other.csv",)  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="its stream already"):
        remote.ingest(folder, run=single, stream="main")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("я" * 120 + ".csv", "я" * 98 + ".csv"),
        ("e" + "я" * 100 + ".js", "я" * 98 + ".js"),  # not half a letter
        ("a\nb\\c.csv", "a_b_c.csv"),
        ("...", "_.."),
    ],
)
def test_names_of_files_that_servers_do_not_take(remote: RemoteWorkspace, tmp_path: Path, name: str, told: str) -> None:
    """They are cut, and what cannot be sent is an underscore."""
    run = remote.register(test="t").upload(synthetic_csv(tmp_path / name))
    report = run.ingest_report()
    assert report is not None
    assert report.files == (told,)


def test_server_and_token_by_the_environment(
    workspace: Workspace, guarded_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a CI system gives them; a store that is named is that store all the same."""
    _, token = workspace.tokens.create("ci", "runner")
    monkeypatch.setenv("ATOR_TOKEN", token)
    assert isinstance(ator.connect(guarded_url), RemoteWorkspace)
    monkeypatch.setenv("ATOR_SERVER", guarded_url)
    remote = ator.connect()
    assert isinstance(remote, RemoteWorkspace)
    assert token not in repr(remote)
    assert guarded_url in repr(remote)
    assert isinstance(ator.connect(tmp_path / "here"), Workspace)
    assert isinstance(ator.connect(database_url=f"sqlite:///{tmp_path / 'here.db'}"), Workspace)
    with pytest.raises(SettingsError, match="a token is for a server"):
        ator.connect(tmp_path / "here", token=token)  # type: ignore[call-overload]


def test_connecting_here_loads_no_http_client(tmp_path: Path) -> None:
    """It costs those nothing who do not use it."""
    code = "import sys, ator_lib as ator; ator.connect(sys.argv[1]).running(); print('httpx' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


# --- what it has not ---


def test_what_needs_the_store_says_so(remote: RemoteWorkspace, workspace: Workspace) -> None:
    """Each public name that only a store's workspace has, and no other; ``hasattr`` tells them apart."""
    pairs = [(remote, workspace), (remote.register(), workspace.register())]
    for there, here in pairs:
        lacking = {name for name in dir(here) if not name.startswith("_")} - set(dir(there))
        assert lacking == there._NEEDS_STORE
        for name in lacking:
            assert not hasattr(there, name)
            with pytest.raises(NeedsStoreError, match=f"'{name}' needs the store itself, and http://127"):
                getattr(there, name)
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            there.nonsense  # noqa: B018
        assert type(copy.copy(there)) is type(there)
    with pytest.raises(UsageError, match="register one"):
        remote.ingest("results.csv", test="checkout")


def test_deleting_and_pinning(remote: RemoteWorkspace) -> None:
    """Runs may be given by number or handle."""
    run = remote.register(test="t").complete("success")
    assert remote.baselines.pin("main", run).run_id == run.run_id
    assert remote.baselines.list().name.to_list() == ["main"]
    remote.baselines.remove("main")
    assert remote.delete(run).test == "t"
    assert remote.history().empty


# --- the with form ---


def test_heartbeats_keep_the_lease_alive(remote: RemoteWorkspace, workspace: Workspace) -> None:
    """The lease ends later and later while the block runs, so that a long one holds its place."""
    with remote.register(test="t", factor="0.9", lease=15) as run:
        wait_for_renewal(workspace, run.run_id)
        assert remote.running().run_id.to_list() == [run.run_id]
    assert run.status is RunStatus.SUCCESS


def wait_for_renewal(workspace: Workspace, run_id: int) -> None:
    """Return when the run's lease has been renewed once more."""
    before = workspace.get(run_id).record.lease_expires_at
    assert before is not None
    wait_until(lambda: (workspace.get(run_id).record.lease_expires_at or before) > before)


def test_a_cancel_from_elsewhere_is_what_the_run_becomes(remote: RemoteWorkspace, workspace: Workspace) -> None:
    """It is honoured when the block ends; an exception makes a failure."""
    with remote.register(test="t") as run:
        workspace.cancel(run.run_id)
    assert run.status is RunStatus.CANCELLED
    with pytest.raises(ZeroDivisionError), remote.register(test="t") as failed:
        raise ZeroDivisionError("by zero")
    assert (failed.status, failed.record.error) == (RunStatus.FAILURE, "ZeroDivisionError: by zero")


def test_a_block_survives_a_restart_of_the_server(workspace: Workspace) -> None:
    """If it is back within the lease; also when it is away as the block ends."""
    app = create_app(workspace, {})
    with listening(app) as url:
        run = ator.connect(url).register(test="t", factor="0.9", lease=30)
        run.__enter__()
    restarting = Flaky(app)
    restarting.refuse(502, times=2)
    with listening(restarting, port=urlsplit(url).port or 0):
        wait_for_renewal(workspace, run.run_id)
        assert restarting.asked[:3] == ["/heartbeat"] * 3
        restarting.refuse(502, times=2)
        run.__exit__(None, None, None)
    assert workspace.get(run.run_id).status is RunStatus.SUCCESS
    assert run.status is RunStatus.SUCCESS


def test_a_server_that_stays_away_is_told_when_the_lease_is_over(workspace: Workspace) -> None:
    """Nobody can say then what became of the run."""
    with listening(create_app(workspace, {})) as url:
        run = ator.connect(url).register(test="t", lease=0.5)
        run.__enter__()
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        run.__exit__(None, None, None)


# --- waiting ---


@pytest.fixture
def holder(workspace: Workspace) -> int:
    """Register a run that takes most of lab-1."""
    return workspace.register(location="lab-1", factor="0.6").run_id


def test_waiting_ends_with_the_start_or_the_deadline(
    remote: RemoteWorkspace, workspace: Workspace, holder: int
) -> None:
    """The refusal says who was in the way; as soon as they are gone the run starts."""
    with pytest.raises(CapacityError) as refused:
        remote.register(location="lab-1", factor="0.9", wait=0)
    assert refused.value.refusal.holders[0].run_id == holder
    assert workspace.queue().empty
    run = remote.register(
        location="lab-1", factor="0.9", wait=60, on_queued=lambda _: workspace.complete(holder, "success")
    )
    assert run.status is RunStatus.RUNNING


def test_who_waits_is_told_of_a_cancel(remote: RemoteWorkspace, workspace: Workspace, holder: int) -> None:
    """Nothing runs then."""
    with pytest.raises(RunCancelledError):
        remote.register(
            location="lab-1",
            factor="0.9",
            wait=True,
            on_queued=lambda admission: workspace.cancel(admission.run.run_id),
        )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_waiting_client_that_ends_loses_its_place(
    url: str, workspace: Workspace, holder: int, end: signal.Signals
) -> None:
    """At once if it can still say so, else with the end of its lease."""
    argv = [sys.executable, "-c", WAITER, url]
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiter:
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == "queued\n"
        (place,) = workspace.queue().to_dict("records")
        waiter.send_signal(end)
        waiter.communicate()
    if end == signal.SIGINT:
        assert workspace.queue().empty
    wait_until(lambda: workspace.queue().empty)
    left = workspace.get(place["run_id"]).record
    expected = {
        signal.SIGINT: (RunStatus.CANCELLED, "stopped_by_user"),
        signal.SIGKILL: (RunStatus.ABANDONED, "lease_expired"),
    }
    assert (left.status, left.status_reason) == expected[end]


def test_the_token_is_in_no_log_of_a_whole_job(
    workspace: Workspace, guarded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not of ours, and not of the libraries below."""
    _, token = workspace.tokens.create("ci", "runner")
    caplog.set_level(logging.DEBUG)
    run: RemoteRun = ator.connect(guarded_url, token=token).register(test="t")
    run.complete("success")
    assert "/complete" in caplog.text
    assert token not in caplog.text + repr(run) + repr(vars(run))
