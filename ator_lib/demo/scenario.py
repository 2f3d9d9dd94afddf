"""The demo: two real load runs against the bundled target, one endpoint slowed in between."""

from __future__ import annotations

import json
import shlex
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import executable

from ator_lib.errors import CapacityError, ToolError
from ator_lib.runners.base import ToolCommand
from ator_lib.runners.locust import Locust
from ator_lib.runners.process import ToolProcess
from ator_lib.workspace.comparison import Comparison
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from ator_lib.written import count, digits, measured

LOCATION = "demo-lab"
TEST = "shop"
LOCUSTFILE = Path(__file__).with_name("locustfile.py")
RUN_TIME_S = 12
SLOWED = "search"
SLOWED_BY = 1.8
START_WITHIN_S = 20.0

Say = Callable[[str], None]


def run_demo(workspace: Workspace, *, report: Path, say: Say) -> Comparison:
    """Baseline, contender, refusal, comparison, notebook and report; says what it finds.

    Raises
    ------
    CapacityError
        Another demo holds the location now.
    ToolError
        The target would not start.
    """
    with _target() as address:
        say(f"target API on {address} (its OpenAPI document: {address}/openapi.json)")
        baseline = _baseline(workspace, address, say)
        contender = _contender(workspace, address, say)
    comparison = workspace.compare(contender, baseline)
    say(f"\ncompared run {contender.run_id} with run {baseline.run_id}: {comparison.headline}")
    for row in comparison.to_dict()["endpoints"]:
        say(f"  {row['method'] or '':4} {row['name'] or 'total':20} {row['verdict']}")
    notebook = workspace.notebook(
        "analyze_run",
        workspace.data / "demo-analysis.ipynb",
        parameters={"run_id": contender.run_id, "baseline": baseline.run_id},
        report=report,
    )
    _farewell(workspace, baseline, contender, notebook, report, say)
    return comparison


def _baseline(workspace: Workspace, address: str, say: Say) -> RunHandle:
    say(f"\nbaseline: {RUN_TIME_S} s of load with factor 0.4 at location {LOCATION}")
    run = workspace.execute(
        _load(address), test=TEST, stream="main", location=LOCATION, factor="0.4", environment="demo"
    )
    say(_result(run))
    if TEST not in set(workspace.baselines.list()["name"]):  # it may be somebody's own
        workspace.baselines.pin(TEST, run)
        say(f"pinned under the test's name: run {run.run_id} is what its later runs are judged against")
    return run


def _contender(workspace: Workspace, address: str, say: Say) -> RunHandle:
    _slow_down(address)
    say(f"\ncontender: the same load with factor 0.6, while /{SLOWED} answers {SLOWED_BY} times slower")
    live = workspace.submit(
        _load(address), test=TEST, stream="slower-search", location=LOCATION, factor="0.6", environment="demo"
    )
    try:
        workspace.register(test=TEST, stream="too-much", location=LOCATION, factor="0.4").cancel()
        raise ToolError("the third registration was admitted although the location was full: please report this")
    except CapacityError as refusal:
        say(f"a third registration is refused: {refusal}")
    finally:
        run = live.result()
    say(_result(run))
    return run


def _load(address: str) -> Locust:
    return Locust(LOCUSTFILE, host=address, users=40, spawn_rate=40, run_time=RUN_TIME_S)


def _result(run: RunHandle) -> str:
    total = run.summary().iloc[-1]
    return (
        f"run {run.run_id}: {run.status.value}, {count(total.requests)} requests, "
        f"{digits(total.throughput_rps)} rps, p95 {measured('p95_ms', total.p95_ms)}, {count(total.failures)} failures"
    )


def _slow_down(address: str) -> None:
    with urllib.request.urlopen(f"{address}/knobs", timeout=5) as answer:  # noqa: S310  # our own target
        latency_ms = json.load(answer)[SLOWED]["latency_ms"]
    request = urllib.request.Request(  # noqa: S310
        f"{address}/knobs/{SLOWED}",
        data=json.dumps({"latency_ms": latency_ms * SLOWED_BY}).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310


@contextmanager
def _target() -> Iterator[str]:
    """Serve the bundled API as a supervised process of its own: it ends with this one, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="ator-demo-") as name:
        folder = Path(name)
        process = ToolProcess.start(
            ToolCommand(
                argv=(executable, "-m", "ator_lib.demo.target", "--port", "0"),
                env={},
                folder=folder,
                log=folder / "target.log",
                timeout_s=600,
                grace_s=2,
            )
        )
        try:
            yield _address(process, folder / "target.log")
        finally:
            process.stop()
            process.wait()


def _address(process: ToolProcess, log: Path) -> str:
    """Wait for the line in which the target says where it listens."""
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines() if log.exists() else ():
            if line.startswith("{"):
                return str(json.loads(line)["address"])
        time.sleep(0.05)
    raise ToolError(f"the demo's target API did not start within {START_WITHIN_S:.0f} s: {log.read_text()[-500:]}")


def _farewell(
    workspace: Workspace, baseline: RunHandle, contender: RunHandle, notebook: Path, report: Path, say: Say
) -> None:
    data = shlex.quote(str(workspace.data))
    say(
        f"\nreport    {report}\n"
        f"notebook  {notebook}\n"
        f"data      {workspace.data}\n\n"
        "look further:\n"
        f"  ator summary {contender.run_id} --data {data}\n"
        f"  ator compare {contender.run_id} --baseline {baseline.run_id} --data {data}\n"
        f"  ator serve --data {data}"
    )
