"""Files that come over HTTP are looked at first, and become a run when somebody says so."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import ator_lib
from ator_lib.server.app import create_app
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.files import synthetic_csv
from tests.support.guarded import TOKENS_WANTED
from tests.support.served import BLANK, ChangingServer, listening, wait_until

ELF = b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(500)


@pytest.fixture
def results(tmp_path: Path) -> bytes:
    """Three synthetic requests, as a file."""
    return synthetic_csv(tmp_path / "samples.csv").read_bytes()


def left_uploads(workspace: Workspace) -> list[Path]:
    """List what lies in the folder of uploads."""
    folder = workspace.data / "uploads"
    return [*folder.iterdir()] if folder.is_dir() else []


def uploaded(api: httpx.Client, content: bytes, **how: Any) -> dict[str, Any]:
    """Upload a file to look at, and return the answer."""
    answer = api.post("/uploads", content=content, params={"file_name": "night.csv", **how})
    assert answer.status_code == 200, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


def test_an_upload_is_looked_at_before_anything_is_kept(
    api: httpx.Client, workspace: Workspace, results: bytes
) -> None:
    """The answer says what is in it, as often as it is asked; there is no run."""
    upload = uploaded(api, results)
    preview = upload["preview"]

    assert upload["file_name"] == "night.csv"
    assert (preview["report"]["format"], preview["report"]["files"]) == ("samples", ["night.csv"])
    assert preview["lines"][0] == "3 rows read as samples: 3 kept"
    assert (preview["tables"]["samples"], preview["total"]["p50_ms"]) == (3, 20.0)
    assert [row["name"] for row in preview["endpoints"]] == ["/synthetic/0", "/synthetic/1"]
    assert abs(datetime.fromisoformat(upload["expires_at"]) - datetime.now(UTC) - timedelta(hours=1)) < timedelta(
        minutes=10
    )
    assert api.get(f"/uploads/{upload['upload_id']}").json() == upload
    assert workspace.history().empty


def test_a_committed_upload_is_a_finished_run(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """It is what was said of it, has the file's times, and the upload is gone."""
    upload_id = uploaded(api, results)["upload_id"]
    identity = {"test": "checkout", "stream": "main", "environment": "staging", "location": "lab-1"}
    more = {"tags": ["nightly"], "attributes": {"commit": "0f3c"}}
    answer = api.post(f"/uploads/{upload_id}/commit", json=identity | more)

    assert answer.status_code == 200, answer.text
    run = workspace.get(answer.json()["run"]["run_id"])
    assert {name: getattr(run.record, name) for name in identity} == identity
    assert (run.status, list(run.record.tags), run.record.attributes["commit"]) == ("success", ["nightly"], "0f3c")
    assert run.record.attributes["ingested_from"] == "night.csv"
    assert run.summary()["requests"].max() == answer.json()["ingest"]["samples"] == 3
    assert left_uploads(workspace) == []
    refused(api.post(f"/uploads/{upload_id}/commit", json=identity), 404, "not_found")


def test_an_upload_may_become_the_results_of_a_run_that_there_is(
    api: httpx.Client, workspace: Workspace, results: bytes
) -> None:
    """A run that has others already keeps them, and the upload stays for another decision."""
    run_id = registered(api, test="checkout")["run_id"]
    first, second = (uploaded(api, content)["upload_id"] for content in (results, results.replace(b"20", b"21")))
    answer = api.post(f"/uploads/{first}/commit", json={"run_id": run_id})
    assert answer.json()["run"]["run_id"] == run_id

    refused(api.post(f"/uploads/{second}/commit", json={"run_id": run_id}), 409, "conflict")
    refused(api.post(f"/uploads/{second}/commit", json={"run_id": 99}), 404, "not_found")
    refused(api.post(f"/uploads/{second}/commit", json={"run_id": run_id, "test": "other"}), 422, "invalid")
    assert api.post(f"/uploads/{second}/commit", json={}).json()["run"]["run_id"] == run_id + 1


def test_it_is_ingested_as_it_was_looked_at(api: httpx.Client, workspace: Workspace) -> None:
    """Columns and zone are said once."""
    content = b"when,took,ok,endpoint\n2026-11-21T10:00:00,0.25,true,a\n"
    columns = "started_at=when,duration_ms=took:s,success=ok,name=endpoint"
    upload = uploaded(api, content, format="samples", columns=columns, timezone="Europe/Berlin")
    run_id = api.post(f"/uploads/{upload['upload_id']}/commit", json={}).json()["run"]["run_id"]

    assert list(workspace.get(run_id).summary()["p50_ms"]) == [250.0, 250.0]
    assert f"{workspace.get(run_id).record.start_time:%H:%M}" == "09:00"


def test_a_removed_upload_is_gone(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """Whoever changes their mind leaves nothing."""
    upload = uploaded(api, results)
    assert api.delete(f"/uploads/{upload['upload_id']}").json() == upload

    assert left_uploads(workspace) == []
    refused(api.delete(f"/uploads/{upload['upload_id']}"), 404, "not_found")


@pytest.mark.parametrize(
    "content", [b"", ELF, PNG, b"nonsense\0\xff", b"<html></html>"], ids=["empty", "program", "picture", "odd", "page"]
)
def test_a_file_of_no_known_format_is_refused(api: httpx.Client, workspace: Workspace, content: bytes) -> None:
    """By its name, with the reader's sentence and no folder of the server; nothing of it is left."""
    answer = api.post("/uploads", content=content, params={"file_name": "setup.exe"})
    problem = refused(answer, 422, "unreadable_results")

    assert "setup.exe" in problem["message"]
    assert str(workspace.data) not in problem["message"]
    assert left_uploads(workspace) == []
    refused(api.post("/uploads", content=content, params={"format": "nonsense"}), 422, "invalid")
    assert left_uploads(workspace) == []


@pytest.mark.parametrize("upload_id", ["0" * 32, "%2e%2e", "..%2f..%2fator.db", "x" * 90, "0" * 31 + "G"])
def test_what_is_no_upload_is_not_found(api: httpx.Client, results: bytes, upload_id: str) -> None:
    """Whatever stands for its id, it leads nowhere."""
    uploaded(api, results)
    refused(api.get(f"/uploads/{upload_id}"), 404, "not_found")


class CommittedTwice(Workspace):
    """Asks its own server for the same once more, in the middle of each ingest."""

    url = ""
    second: httpx.Response

    def ingest(self, files: Any, **options: Any) -> RunHandle:
        """Ingest, after somebody else has tried."""
        self.second = httpx.post(self.url, json={})
        return super().ingest(files, **options)


def test_an_upload_is_committed_once(
    changing: tuple[ChangingServer, httpx.Client], workspace: Workspace, results: bytes
) -> None:
    """Who clicks twice, or at the same time as somebody else, makes one run; one that fails leaves it to the next."""
    server, api = changing
    twice = CommittedTwice(workspace.parts)
    server.serve(twice)
    twice.url = f"{server.url}/uploads/{uploaded(api, results)['upload_id']}/commit"
    refused(api.post(twice.url, json={"run_id": 99}), 404, "not_found")
    answer = api.post(twice.url, json={})

    assert answer.status_code == 200, answer.text
    assert "it was ingested" in refused(twice.second, 404, "not_found")["message"]
    assert len(workspace.history()) == 1
    assert left_uploads(workspace) == []


@pytest.mark.parametrize("name", ["upload.json", "...a", "я" * 100, "r:1?.csv"])
def test_a_file_may_have_any_name(api: httpx.Client, results: bytes, name: str) -> None:
    """Also that of the server's own note beside it."""
    upload = uploaded(api, results, file_name=name)
    answer = api.post(f"/uploads/{upload['upload_id']}/commit", json={"test": "t"})

    assert answer.json()["ingest"]["report"]["files"] == [name]


def test_nobody_wanted_it_for_an_hour(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """Then it cannot be had any more, and the next upload removes it; a younger one stays."""
    old, young = (uploaded(api, results)["upload_id"] for _ in range(2))
    hour_ago = time.time() - 3601
    os.utime(workspace.data / "uploads" / old / "upload.json", (hour_ago, hour_ago))
    refused(api.get(f"/uploads/{old}"), 404, "not_found")
    latest = uploaded(api, results)["upload_id"]

    assert {path.name for path in left_uploads(workspace)} == {young, latest}


def test_a_client_that_goes_away_leaves_nothing(api: httpx.Client, workspace: Workspace, results: bytes) -> None:
    """Half an upload is removed."""

    def broken() -> Iterator[bytes]:
        yield results[:50]
        wait_until(lambda: left_uploads(workspace) != [])
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        api.post("/uploads", content=broken())
    wait_until(lambda: left_uploads(workspace) == [])


def test_a_long_file_is_never_in_memory(api: httpx.Client, workspace: Workspace) -> None:
    """200 MB go by in pieces, to the disk and away again."""
    piece = bytes(2**20)
    tracemalloc.start()
    try:
        problem = refused(api.post("/uploads", content=(piece for _ in range(200))), 422, "unreadable_results")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 20 * 2**20
    assert problem["message"]
    assert left_uploads(workspace) == []


def test_who_only_looks_may_only_look(tmp_path: Path, results: bytes) -> None:
    """A viewer sees an upload; a runner uploads, and the run is then triggered by that name."""
    workspace = ator_lib.connect(tmp_path / "data")
    secrets = {name: workspace.tokens.create(name, name)[1] for name in ("viewer", "runner")}
    with listening(create_app(workspace, BLANK, rules=TOKENS_WANTED)) as url:
        viewer, runner = (httpx.Client(base_url=url, headers={"x-api-key": secret}) for secret in secrets.values())
        with viewer, runner:
            refused(viewer.post("/uploads", content=results), 403, "forbidden")
            upload_id = uploaded(runner, results)["upload_id"]
            assert viewer.get(f"/uploads/{upload_id}").status_code == 200
            refused(viewer.post(f"/uploads/{upload_id}/commit", json={}), 403, "forbidden")
            refused(viewer.delete(f"/uploads/{upload_id}"), 403, "forbidden")
            run = runner.post(f"/uploads/{upload_id}/commit", json={}).json()["run"]

    assert run["triggered_by"] == "runner"
