"""Runs are written for real to a server of the v2 write API: VictoriaMetrics, as it is packaged."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import ator_lib as ator
from tests.support.files import synthetic_csv

WAIT_S = 20


@pytest.fixture
def victoria_metrics(tmp_path: Path) -> Iterator[str]:
    """Start one on loopback, with a folder of its own."""
    program = shutil.which("victoria-metrics")
    if program is None:
        pytest.fail("victoria-metrics is missing: apt-get install victoria-metrics")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = [program, f"-storageDataPath={tmp_path / 'vm'}", f"-httpListenAddr={address}", "-search.latencyOffset=0s"]
    with (tmp_path / "vm.log").open("wb") as log:
        server = subprocess.Popen([*words, "-retentionPeriod=100y"], stdout=log, stderr=log)
    try:
        _until(lambda: httpx.get(f"http://{address}/health").is_success)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(WAIT_S)


def test_a_run_arrives_whole(victoria_metrics: str, tmp_path: Path) -> None:
    """Each interval of the timeline is there with the figure that ATOR has."""
    workspace = ator.connect(tmp_path / "data")
    run = workspace.ingest(synthetic_csv(tmp_path / "samples.csv", [10.0 + n for n in range(500)]), test="t")
    assert workspace.export_influx(run, url=victoria_metrics, bucket="load") > 500
    expected = run.timeline().query("name.isna()")["p95_ms"].tolist()
    matching = {"match[]": f'ator_timeline_p95_ms{{run_id="{run.run_id}",scope="total"}}'}

    def arrived() -> list[float]:
        lines = httpx.get(f"{victoria_metrics}/api/v1/export", params=matching).text.splitlines()
        return [value for line in lines for value in json.loads(line)["values"]]

    _until(lambda: len(arrived()) == len(expected))
    assert arrived() == pytest.approx(expected)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("VictoriaMetrics did not come to it in time")
