"""What a follower tells of the endpoints and errors of a live run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.model import EndpointProgress, ErrorProgress, Progress
from ator_lib.readers.capture.follower import CaptureFollower
from ator_lib.readers.capture.streams import stream_metadata

COLUMNS = pa.schema(
    [schema.SAMPLES.field(name) for name in ("started_at", "duration_ms", "name", "method", "success", "error")]
)
Request = tuple[str | None, str | None, float, str | None]
"""Name, method, duration, and the error if it failed."""


def stream(
    folder: Path, *batches: tuple[float, Sequence[Request]], began_s_ago: float = 4.0, process: str = "local-1"
) -> None:
    """Write a stream whose batches ended so many seconds ago."""
    now = time.time()
    head = stream_metadata(tool="locust", tool_version="2.47.0", worker=process, started_at=now - began_s_ago)
    path = str(folder / f"{process}.arrows")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, COLUMNS.with_metadata(head)) as writer:
        for ended_s_ago, requests in batches:
            names, methods, durations, errors = zip(*requests, strict=True) if requests else ((), (), (), ())
            columns = [[0] * len(names), durations, names, methods, [error is None for error in errors], errors]
            arrays = [pa.array(values, field.type) for values, field in zip(columns, COLUMNS, strict=True)]
            metadata = {"at": repr(now - ended_s_ago), "users": "1"}
            writer.write_batch(pa.record_batch(arrays, schema=COLUMNS), custom_metadata=metadata)


def polled(folder: Path) -> Progress:
    return CaptureFollower(folder).poll()


def test_each_endpoint_has_its_figures(tmp_path: Path) -> None:
    """Counts of the whole run; throughput and p95 of the last seconds. The one with most requests comes first."""
    old = [("/a", "GET", 900.0, None)] * 30
    recent = [("/a", "GET", float(ms), None) for ms in range(1, 101)] + [("/b", "POST", 7.0, "no")] * 20
    stream(tmp_path, (60.0, old), (6.5, []), (1.0, recent), began_s_ago=70.0)
    rare = np.percentile(np.arange(1, 101), 95)
    first, second = polled(tmp_path).endpoints
    assert (first.name, first.method, first.requests, first.failures) == ("/a", "GET", 130, 0)
    assert first.p95_ms == pytest.approx(rare)
    assert first.throughput_rps == pytest.approx(100 / 5.5, rel=0.01)
    assert (second.name, second.method, second.requests, second.failures, second.p95_ms) == ("/b", "POST", 20, 20, 7.0)


def test_endpoints_of_all_processes_are_added(tmp_path: Path) -> None:
    """Their rates, too; each process has seconds of its own."""
    stream(tmp_path, (0.0, [("/a", "GET", 10.0, None)] * 40), began_s_ago=4.0, process="worker-1")
    stream(tmp_path, (0.0, [("/a", "GET", 30.0, None)] * 10), began_s_ago=2.0, process="worker-2")
    (endpoint,) = polled(tmp_path).endpoints
    assert (endpoint.requests, endpoint.p95_ms) == (50, 30.0)
    assert endpoint.throughput_rps == pytest.approx(40 / 4 + 10 / 2)


def test_what_was_taken_in_counts_once(tmp_path: Path) -> None:
    """However often it is asked."""
    stream(tmp_path, (0.0, [("/a", "GET", 1.0, None), ("/a", "GET", 1.0, "no")]))
    follower = CaptureFollower(tmp_path)
    assert follower.poll().endpoints == follower.poll().endpoints
    assert [(each.requests, each.failures) for each in follower.poll().endpoints] == [(2, 1)]
    assert [error.requests for error in follower.poll().errors] == [1]


def test_methods_tell_endpoints_apart(tmp_path: Path) -> None:
    """None is a method of its own; so is a name that a tool left out."""
    requests = [("/a", "GET"), ("/a", "POST"), ("/a", "POST"), ("/a", None), (None, None)]
    stream(tmp_path, (0.0, [(name, method, 1.0, None) for name, method in requests]))
    told = {(each.name, each.method): each.requests for each in polled(tmp_path).endpoints}
    assert told == {("/a", "GET"): 1, ("/a", "POST"): 2, ("/a", None): 1, ("", None): 1}


def test_endpoints_nobody_asks_for_any_more(tmp_path: Path) -> None:
    """They have a throughput of none and no p95; when nothing at all is heard, there is no throughput either."""
    stream(tmp_path, (60.0, [("/a", "GET", 1.0, None)] * 2), (6.5, []), (1.0, [("/b", "GET", 1.0, None)]))
    silent, _ = polled(tmp_path).endpoints
    assert silent == EndpointProgress(name="/a", method="GET", requests=2, throughput_rps=0.0)
    stalled = tmp_path / "stalled"
    stalled.mkdir()
    stream(stalled, (60.0, [("/a", "GET", 1.0, None)]), (50.0, []), began_s_ago=70.0)
    # a stream that has ended stands still at its end, so that its last seconds are those before it
    (path,) = stalled.iterdir()
    path.write_bytes(path.read_bytes()[:-8])
    assert polled(stalled).endpoints == (EndpointProgress(name="/a", method="GET", requests=1),)


def test_a_live_table_has_fifty_endpoints(tmp_path: Path) -> None:
    """Those with most requests, of however many; a long name is cut."""
    many = [(f"/{number}", "GET", float(number), None) for number in range(400) for _ in range(1 + number // 100)]
    stream(tmp_path, (0.0, [*many, *[("/" + 999 * "x", "GET", 5.0, None)] * 9]))
    progress = polled(tmp_path)
    assert progress.requests == len(many) + 9
    assert len(progress.endpoints) == 50
    assert (progress.endpoints[0].name.count("x…x"), len(progress.endpoints[0].name)) == (1, 300)
    assert [each.name for each in progress.endpoints[1:]] == [f"/{number}" for number in range(300, 349)]
    assert [each.p95_ms for each in progress.endpoints[1:]] == [float(number) for number in range(300, 349)]


def test_errors_are_grouped_by_what_failed_and_how(tmp_path: Path) -> None:
    """The most frequent first, ten at most; how many kinds are counted has an end, too."""
    failed = [("/a", "GET", 1.0, "500"), ("/a", "POST", 1.0, "500"), ("/a", "GET", 1.0, "500"), ("/b", "GET", 1.0, "")]
    stream(tmp_path, (0.0, failed))
    first, *others = polled(tmp_path).errors
    assert first == ErrorProgress(name="/a", method="GET", error="500", requests=2)
    assert {(error.name, error.method, error.error) for error in others} == {("/a", "POST", "500"), ("/b", "GET", "")}
    stream(tmp_path, (0.0, [("/a", "GET", 1.0, f"error {number}") for number in range(5000)]))
    progress = polled(tmp_path)
    assert (len(progress.errors), progress.endpoints[0].failures) == (10, 5000)


def test_a_run_without_failures_has_no_errors(tmp_path: Path) -> None:
    """And one without requests no endpoints."""
    stream(tmp_path, (0.0, []))
    assert (polled(tmp_path).endpoints, polled(tmp_path).errors) == ((), ())
    stream(tmp_path, (0.0, [("/a", "GET", 1.0, None)]))
    assert polled(tmp_path).errors == ()
