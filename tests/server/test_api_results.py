from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.files import synthetic_csv
from tests.support.served import wait_until


@pytest.fixture
def results(tmp_path: Path) -> bytes:
    """Three synthetic requests, as a file."""
    return synthetic_csv(tmp_path / "samples.csv").read_bytes()


def left_uploads(workspace: Workspace) -> list[Path]:
    folder = workspace.data / "uploads"
    return [*folder.iterdir()] if folder.is_dir() else []


def test_an_uploaded_file_becomes_the_runs_results(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """The answer says what was read; nothing of the upload is left behind."""
    run_id = registered(api, test="checkout")["run_id"]
    answer = api.post(f"/runs/{run_id}/results", content=results)

    assert answer.status_code == 200, answer.text
    assert answer.json()["ingest"]["samples"] == 3
    assert answer.json()["run"]["run_id"] == run_id
    assert workspace.get(run_id).summary()["requests"].max() == 3
    assert left_uploads(workspace) == []


def test_the_same_content_again_changes_nothing(api: httpx.Client, results: bytes) -> None:
    """A client that lost the answer may send it again."""
    run_id = registered(api)["run_id"]
    first, second = (api.post(f"/runs/{run_id}/results", content=results).json() for _ in range(2))

    assert first == second


def test_a_stream_of_unknown_length_is_taken(api: httpx.Client, results: bytes) -> None:
    """Clients send what a tool is still writing."""

    def parts() -> Iterator[bytes]:
        for start in range(0, len(results), 50):
            yield results[start : start + 50]

    assert api.post(f"/runs/{registered(api)['run_id']}/results", content=parts()).json()["ingest"]["samples"] == 3


@pytest.mark.parametrize("content", [b"", b"nonsense\0\xff", b"<html></html>"])
def test_a_file_of_no_known_format_is_refused(api: httpx.Client, workspace: Workspace, content: bytes) -> None:
    """The run has no results then, the disk nothing of it, and the answer no path."""
    run_id = registered(api)["run_id"]
    problem = refused(api.post(f"/runs/{run_id}/results", content=content), 422, "unreadable_results")

    assert str(workspace.data) not in problem["message"]
    assert left_uploads(workspace) == []
    refused(api.post(f"/runs/{run_id}/results", content=content, params={"format": "nonsense"}), 422, "invalid")


@pytest.mark.parametrize("name", ["я" * 100, "a" * 200, "...a", "r:1?.csv"])
def test_names_that_files_have(api: httpx.Client, results: bytes, name: str) -> None:
    """The report calls the file so, up to 200 bytes."""
    answer = api.post(f"/runs/{registered(api)['run_id']}/results", content=results, params={"file_name": name})

    assert answer.status_code == 200, answer.text
    assert answer.json()["ingest"]["report"]["files"] == [name]


@pytest.mark.parametrize("name", ["я" * 101, "я" * 200, "a" * 201, "a\nb", "a\x7f", "a\x85b", "a/b", "a\\b", "..", ""])
def test_names_that_no_file_has(api: httpx.Client, workspace: Workspace, results: bytes, name: str) -> None:
    """They are refused before anything is kept."""
    answer = api.post(f"/runs/{registered(api)['run_id']}/results", content=results, params={"file_name": name})

    assert "file_name" in refused(answer, 422, "invalid")["message"]
    assert left_uploads(workspace) == []


def test_times_beyond_the_calendar_are_the_files_fault(api: httpx.Client, workspace: Workspace, tmp_path: Path) -> None:
    """The row is named, and no store is blamed."""
    starts = pa.array([0, 10**18]).cast(pa.timestamp("us", "UTC"))
    file = tmp_path / "year-33658.parquet"
    pq.write_table(pa.table({"started_at": starts, "duration_ms": [1.0, 1.0], "success": [True, True]}), file)
    answer = api.post(f"/runs/{registered(api)['run_id']}/results", content=file.read_bytes())

    message = refused(answer, 422, "unreadable_results")["message"]
    assert "the uploaded file, line 2: started_at is" in message
    assert str(workspace.data) not in message


def test_a_store_that_cannot_be_written_is_told_without_its_path(
    api: httpx.Client, workspace: Workspace, results: bytes
) -> None:
    """Where the server keeps what is its own business."""
    (workspace.data / "results").write_text("a file where the folder should be")
    answer = api.post(f"/runs/{registered(api)['run_id']}/results", content=results)

    message = refused(answer, 500, "internal")["message"]
    assert str(workspace.data) not in message


def test_an_unknown_run_is_refused_before_anything_is_kept(api: httpx.Client, results: bytes) -> None:
    """Gigabytes need not be sent to hear it."""
    refused(api.post("/runs/99/results", content=results), 404, "not_found")


def test_a_client_that_goes_away_leaves_nothing(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """Half an upload is removed, and the run can still get its results."""
    run_id = registered(api)["run_id"]

    def broken() -> Iterator[bytes]:
        yield results[:50]
        wait_until(lambda: left_uploads(workspace) != [])
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        api.post(f"/runs/{run_id}/results", content=broken())

    wait_until(lambda: left_uploads(workspace) == [])
    assert api.post(f"/runs/{run_id}/results", content=results).status_code == 200


def test_what_a_killed_server_left_is_swept(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """By the next upload, when it is a day old: a younger one may be another server's."""
    old, young = workspace.data / "uploads" / "old", workspace.data / "uploads" / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    api.post(f"/runs/{registered(api)['run_id']}/results", content=results)

    assert left_uploads(workspace) == [young]
