"""The Locust runner with the real Locust against a real server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from ator_lib.model import RunOutcome, RunStatus, StatusReason
from ator_lib.runners.base import ARTIFACT_FOLDER, ToolExit, artifacts_in
from ator_lib.runners.locust import Locust
from ator_lib.runners.process import ToolProcess
from tests.runners.conftest import WAIT_S, Server, eventually, processes_of, run_locust
from tests.support.capture import read_capture

SECRET = "t0p-s3cr3t-t0ken"

BOTH_CLIENTS = """
from locust import FastHttpUser, HttpUser, constant, tag, task

class Plain(HttpUser):
    wait_time = constant(0.05)

    @task
    def shop(self):
        self.client.get("/plain?id=1", name="/plain")

    @tag("broken")
    @task
    def broken(self):
        self.client.get("/fail/plain?key=abc", name="/fail/plain")

class Fast(FastHttpUser):
    wait_time = constant(0.05)
    default_headers = {"X-Own": "kept"}

    @task
    def shop(self):
        self.client.get("/fast")
"""


@pytest.fixture
def locustfile(tmp_path: Path) -> Path:
    """Users with both HTTP clients, and a task that fails."""
    path = tmp_path / "shop.py"
    path.write_text(BOTH_CLIENTS)
    return path


@dataclass(frozen=True)
class Ended:
    """A Locust run that came to its end."""

    runner: Locust
    folder: Path
    exit: ToolExit
    tokens: list[tuple[str, str | None]]

    @property
    def samples(self) -> pa.Table:
        """All samples of the run."""
        return read_capture(self.runner.results(self.folder)).samples.read_all()

    @property
    def truncated(self) -> bool:
        """Whether a process did not come to its regular end."""
        return read_capture(self.runner.results(self.folder)).findings.truncated

    @property
    def tools_own_count(self) -> int:
        """Requests by Locust's own final report."""
        report = json.loads((self.folder / ARTIFACT_FOLDER / "locust.json").read_text())
        return sum(entry["num_requests"] for entry in report)

    @property
    def outcome(self) -> RunOutcome | None:
        """What the runner says about the tool."""
        return self.runner.failure(self.exit, self.folder)


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two processes"])
def ended(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One run with secret headers, by one process and by two."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "shop.py").write_text(BOTH_CLIENTS)
    runner = Locust(
        folder / "shop.py",
        host=server.url,
        users=4,
        run_time=2,
        processes=request.param,
        headers={"X-Token": SECRET},
        env={"PASSWORD": SECRET},
    )
    runner.check()
    server.tokens.clear()
    exit_ = run_locust(runner, folder / "run")
    return Ended(runner, folder / "run", exit_, list(server.tokens))


def test_every_request_is_there(ended: Ended) -> None:
    """Samples are as many as Locust's own final count, and all processes came to their end."""
    assert ended.samples.num_rows == ended.tools_own_count > 0
    assert not ended.truncated


def test_failed_requests_are_no_failure_of_the_tool(ended: Ended) -> None:
    """Locust's exit code 1 says that requests failed; judging that is not the runner's."""
    assert ended.exit == ToolExit(returncode=1, cause="exited")
    assert ended.outcome is None


def test_samples_of_both_clients(ended: Ended) -> None:
    """Names, methods, statuses, errors and sizes are those of the requests."""
    kinds = {
        (row["name"], row["method"], row["status_code"], row["success"], row["bytes_received"])
        for row in ended.samples.to_pylist()
    }
    assert kinds == {
        ("/plain", "GET", 200, True, 27),
        ("/fast", "GET", 200, True, 27),
        ("/fail/plain", "GET", 500, False, 27),
    }
    errors = {row["error"] for row in ended.samples.to_pylist() if not row["success"]}
    assert len(errors) == 1
    assert "500 Server Error" in str(errors)
    assert min(ended.samples["duration_ms"].to_pylist()) > 0


def test_workers_are_told_apart(ended: Ended) -> None:
    """Each process that loads the target has a name of its own; the master has no samples."""
    names = {1: {"local-0"}, 2: {"worker-0", "worker-1"}}[ended.runner.processes]
    assert set(ended.samples["worker"].to_pylist()) == names


def test_users_are_known_over_time(ended: Ended) -> None:
    """The users of all processes add up to those that were asked for."""
    metrics = read_capture(ended.runner.results(ended.folder)).metrics.to_pylist()
    peaks: dict[str, float] = {}
    for row in metrics:
        peaks[row["source"]] = max(peaks.get(row["source"], 0), row["value"])
    assert sum(peaks.values()) == 4


def test_headers_reach_the_target(ended: Ended) -> None:
    """Every request of either client carries the headers."""
    assert {path.split("?")[0] for path, _ in ended.tokens} == {"/plain", "/fast", "/fail/plain"}
    assert {token for _, token in ended.tokens} == {SECRET}


def test_secrets_are_nowhere_on_disk(ended: Ended) -> None:
    """Neither headers nor environment nor query strings are in any file of the run."""
    files = [path for path in ended.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_artifacts_are_kept(ended: Ended) -> None:
    """Locust's own CSV, JSON and HTML reports and its log are there."""
    artifacts = artifacts_in(ended.folder)
    assert artifacts is not None
    assert {path.name for path in artifacts.files} >= {"locust_stats.csv", "locust.json", "report.html"}
    assert artifacts.log is not None
    assert "Starting Locust" in artifacts.log.read_text()


def test_follower_agrees_in_the_end(ended: Ended) -> None:
    """Live figures come to the same counts as the samples."""
    progress = ended.runner.follow(ended.folder).poll()
    assert progress.requests == ended.samples.num_rows
    assert progress.failures == ended.samples["success"].to_pylist().count(False)
    assert progress.users == 0
    assert {(each.name, each.method) for each in progress.endpoints} == set(
        zip(ended.samples["name"].to_pylist(), ended.samples["method"].to_pylist(), strict=True)
    )
    assert sum(each.requests for each in progress.endpoints) == progress.requests
    assert sum(each.requests for each in progress.errors) == progress.failures


@pytest.mark.parametrize("processes", [1, 2])
def test_stop_keeps_what_is_there(locustfile: Path, tmp_path: Path, server: Server, processes: int) -> None:
    """A stopped run writes all its samples and reports, and is no failure of the tool."""
    folder = tmp_path / "run"
    folder.mkdir()
    runner = Locust(locustfile, host=server.url, users=4, run_time=300, processes=processes)
    tool = ToolProcess.start(runner.command(folder))
    following = runner.follow(folder)
    assert eventually(lambda: following.poll().requests)
    tool.stop()
    exit_ = tool.wait(WAIT_S)
    assert exit_ is not None
    assert exit_.cause == "stopped"
    ended = Ended(runner, folder, exit_, [])
    assert ended.samples.num_rows == ended.tools_own_count > 0
    assert not ended.truncated
    assert ended.outcome is None
    assert not processes_of(folder)


def test_killed_parent_leaves_no_load(locustfile: Path, tmp_path: Path, server: Server) -> None:
    """When the executing process is killed, master and workers end; the samples so far are readable."""
    folder = tmp_path / "run"
    folder.mkdir()
    parent = f"""
import time
from pathlib import Path
from ator_lib.runners.locust import Locust
from ator_lib.runners.process import ToolProcess
from tests.support.capture import read_capture
runner = Locust({str(locustfile)!r}, host={server.url!r}, users=4, run_time=300, processes=2)
tool = ToolProcess.start(runner.command(Path({str(folder)!r})))
time.sleep(300)
"""
    following = Locust(locustfile).follow(folder)
    with subprocess.Popen([sys.executable, "-c", parent]) as executing:
        assert eventually(lambda: following.poll().requests)
        executing.kill()
    assert eventually(lambda: not processes_of(folder))
    assert read_capture(folder / "capture").samples.read_all().num_rows > 0


def test_killed_supervisor_leaves_no_workers(locustfile: Path, tmp_path: Path, server: Server) -> None:
    """Workers, too, die with a killed supervisor; the runner says what happened."""
    folder = tmp_path / "run"
    folder.mkdir()
    runner = Locust(locustfile, host=server.url, users=4, run_time=300, processes=2)
    tool = ToolProcess.start(runner.command(folder))
    following = runner.follow(folder)
    assert eventually(lambda: following.poll().requests)
    os.kill(tool._supervising.pid, signal.SIGKILL)
    assert eventually(lambda: not processes_of(folder))
    exit_ = tool.wait(WAIT_S)
    assert exit_ is not None
    outcome = runner.failure(exit_, folder)
    assert outcome is not None
    assert outcome.reason == StatusReason.TOOL_ERROR


def test_killed_worker_is_told(locustfile: Path, tmp_path: Path, server: Server) -> None:
    """Locust itself ends with 0 when a worker was killed; the runner notices the lost samples."""
    folder = tmp_path / "run"
    folder.mkdir()
    runner = Locust(locustfile, host=server.url, users=4, run_time=4, processes=2, tags=["broken"])
    tool = ToolProcess.start(runner.command(folder))
    following = runner.follow(folder)
    assert eventually(lambda: following.poll().requests)
    victim = next(iter((folder / "capture").glob("*.arrows"))).stem.split("-")[1]
    os.kill(int(victim), signal.SIGKILL)
    exit_ = tool.wait(WAIT_S)
    assert exit_ is not None
    outcome = runner.failure(exit_, folder)
    assert outcome is not None
    assert outcome.reason == StatusReason.TOOL_ERROR
    assert "Only 1 of 2 Locust processes" in str(outcome.error)


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        ("import foo_that_is_nowhere", {}, r"No module named 'foo_that_is_nowhere' \(shop\.py, line 1\)"),
        ("x = 1\ndef f(:\n    pass", {}, r"SyntaxError: invalid syntax \(shop\.py, line 2\)"),
        ("x = 1", {}, "No User class found"),
        ("x = 1", {"processes": 2}, "No User class found"),
        (BOTH_CLIENTS, {"tags": ["nope", "broken"]}, r"Unknown tag\(s\): nope\..* It has: broken"),
        (BOTH_CLIENTS, {"user_classes": ["Nobody"]}, r"Unknown User\(s\): Nobody"),
        (BOTH_CLIENTS, {"extra_args": ["--no-such-option"]}, "unrecognized arguments: --no-such-option"),
        (BOTH_CLIENTS, {"host": None}, "You must specify the base host"),
    ],
)
def test_bad_locustfile(tmp_path: Path, server: Server, content: str, settings: dict[str, object], words: str) -> None:
    """What Locust cannot run is bad input, told by the decisive line of its log."""
    locustfile = tmp_path / "shop.py"
    locustfile.write_text(content)
    runner = Locust(locustfile, **{"host": server.url, "run_time": 2, **settings})  # type: ignore[arg-type]
    runner.check()
    outcome = runner.failure(run_locust(runner, tmp_path / "run"), tmp_path / "run")
    assert outcome is not None
    assert (outcome.status, outcome.reason) == (RunStatus.FAILURE, StatusReason.BAD_INPUT)
    assert outcome.error is not None
    assert re.search(words, outcome.error)


@pytest.mark.parametrize("processes", [1, 2])
def test_full_disk(tmp_path: Path, server: Server, processes: int) -> None:
    """When samples cannot be written, the run ends soon and says so; the whole batches stay readable."""
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
    noisy = "class Noisy(Fast):\n    @task\n    def n(self):\n        import os\n"
    noisy += "        self.client.get('/fast', name=os.urandom(250).hex())\n"
    (tmp_path / "shop.py").write_text(limit + BOTH_CLIENTS + noisy)
    runner = Locust(
        tmp_path / "shop.py",
        host=server.url,
        users=4,
        run_time=300,
        processes=processes,
        user_classes=["Noisy"],
    )
    folder = tmp_path / "run"
    exit_ = run_locust(runner, folder)
    assert exit_.cause == "exited"
    outcome = runner.failure(exit_, folder)
    assert outcome is not None
    assert outcome.reason == StatusReason.CAPTURE_FAILED
    assert "File too large" in str(outcome.error)
    ended = Ended(runner, folder, exit_, [])
    assert ended.truncated
    assert ended.samples.num_rows > 0


def test_streams_that_cannot_be_made(locustfile: Path, tmp_path: Path, server: Server) -> None:
    """A capture folder that cannot be made ends the run before its load, in the system's words."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "capture").touch()
    runner = Locust(locustfile, host=server.url, run_time=300)
    outcome = runner.failure(run_locust(runner, folder), folder)
    assert outcome is not None
    assert outcome.reason == StatusReason.CAPTURE_FAILED
    assert "File exists" in str(outcome.error)


def test_imports_of_the_callers_project(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locustfile imports from its own folder and from where ATOR was called, and reads its data."""
    project = tmp_path / "project"
    (project / "tests").mkdir(parents=True)
    (project / "locust").mkdir()  # a name that must not hide the tool
    (project / "locust" / "__init__.py").touch()
    (project / "shop_helpers.py").write_text("PATH = '/from-project'")
    (project / "tests" / "beside.py").touch()
    (project / "tests" / "paths.txt").write_text("/from-data")
    (project / "tests" / "locustfile.py").write_text(
        "import os\nimport beside\nimport shop_helpers\nfrom locust import FastHttpUser, task\n"
        "class U(FastHttpUser):\n    @task\n    def t(self):\n"
        "        self.client.get(shop_helpers.PATH)\n"
        "        self.client.get(open('paths.txt').read())\n"
        "        self.client.get('/' + os.environ['SECTION'])\n"
        "        self.environment.runner.quit()\n"
    )
    monkeypatch.chdir(project)
    runner = Locust(
        "tests/locustfile.py", host=server.url, run_time=30, working_dir="tests", env={"SECTION": "from-env"}
    )
    runner.check()
    exit_ = run_locust(runner, tmp_path / "run")
    assert runner.failure(exit_, tmp_path / "run") is None
    names = Ended(runner, tmp_path / "run", exit_, []).samples["name"].to_pylist()
    assert names == ["/from-project", "/from-data", "/from-env"]


@pytest.mark.parametrize(
    ("exit_", "reason"),
    [
        (ToolExit(returncode=-2, cause="stopped"), None),
        (ToolExit(returncode=-9, cause="timeout"), StatusReason.TIMEOUT),
        (ToolExit(returncode=-2, cause="lease_expired"), StatusReason.LEASE_EXPIRED),
        (ToolExit(returncode=None, cause="supervisor_lost"), StatusReason.TOOL_ERROR),
        (ToolExit(returncode=-9, cause="exited"), StatusReason.TOOL_ERROR),
        (ToolExit(returncode=1, cause="exited"), StatusReason.BAD_INPUT),
    ],
)
def test_causes(tmp_path: Path, exit_: ToolExit, reason: StatusReason | None) -> None:
    """Each cause of an end before any recording has its reason; a stop has none."""
    outcome = Locust(tmp_path / "shop.py").failure(exit_, tmp_path)
    assert (outcome.reason if outcome else None) == reason
