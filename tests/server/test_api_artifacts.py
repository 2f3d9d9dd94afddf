"""What a run's tool left behind is downloaded, and nothing else of the disk."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import httpx
import pytest

from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.served import ChangingServer, wait_until

PAGE = b"<script>alert(1)</script>"


@pytest.fixture
def folder(api: httpx.Client, workspace: Workspace, tmp_path: Path) -> Path:
    """Make the folder of an executed run 1: with a page, odd names, and links to inside and outside."""
    registered(api, test="checkout")
    folder = workspace.data / "runs" / "1"
    (folder / "artifacts" / "deep").mkdir(parents=True)
    (folder / "tool.log").write_text("started\n")
    (folder / "exit.json").write_text("{}")
    (folder / "artifacts" / "report.html").write_bytes(PAGE)
    (folder / "artifacts" / "deep" / 'a "b"; é#?.csv').write_text("1,2\n")
    (folder / "artifacts" / "latest.html").symlink_to("report.html")
    (tmp_path / "outside.txt").write_text("a secret")
    (folder / "artifacts" / "outside.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "artifacts" / "database").symlink_to(workspace.data / "ator.db")
    (folder / "artifacts" / "elsewhere").symlink_to(tmp_path)
    return folder


def test_the_files_are_listed(api: httpx.Client, folder: Path) -> None:
    """The log first, then what the tool wrote for people; no link that leads out of the run's folder."""
    assert api.get("/runs/1/artifacts").json()["artifacts"] == [
        {"name": "tool.log", "bytes": 8},
        {"name": 'deep/a "b"; é#?.csv', "bytes": 4},
        {"name": "latest.html", "bytes": len(PAGE)},
        {"name": "report.html", "bytes": len(PAGE)},
    ]


def test_every_listed_file_is_downloaded(api: httpx.Client, folder: Path) -> None:
    """As bytes to keep under its name; no browser opens it as a page of this server."""
    for artifact in api.get("/runs/1/artifacts").json()["artifacts"]:
        answer = api.get(f"/runs/1/artifacts/{quote(artifact['name'])}")
        assert (answer.status_code, len(answer.content)) == (200, artifact["bytes"])
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        last = quote(artifact["name"].rpartition("/")[2])
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{last}"
    assert api.get("/runs/1/artifacts/report.html").content == PAGE


@pytest.mark.parametrize(
    "name",
    [
        *("outside.txt", "database", "elsewhere/outside.txt", "exit.json", "../exit.json", "deep", "", "nothing"),
        *("../../../ator.db", "..%2f..%2f..%2fator.db", "%2e%2e/exit.json", "/etc/passwd", "%2fetc%2fpasswd", "a%00b"),
    ],
)
def test_nothing_else_is(api: httpx.Client, folder: Path, name: str) -> None:
    """Neither the server's own notes on the run, nor what lies beside, nor a folder."""
    url = httpx.URL(str(api.base_url)).copy_with(raw_path=f"/runs/1/artifacts/{name}".encode())
    refused(api.send(httpx.Request("GET", url)), 404, "not_found")


def test_a_run_that_was_not_executed_here_has_none(api: httpx.Client) -> None:
    """And of a run that there is not, there is nothing to list."""
    run_id = registered(api)["run_id"]

    assert api.get(f"/runs/{run_id}/artifacts").json() == {"artifacts": []}
    refused(api.get(f"/runs/{run_id}/artifacts/tool.log"), 404, "not_found")
    refused(api.get("/runs/99/artifacts"), 404, "not_found")
    refused(api.get("/runs/99/artifacts/tool.log"), 404, "not_found")


def test_what_goes_meanwhile_is_not_there(
    changing: tuple[ChangingServer, httpx.Client], workspace: Workspace, folder: Path
) -> None:
    """A tool that is at work removes files, too."""
    server, api = changing
    seen = workspace.get(1).artifacts
    server.serve(SimpleNamespace(get=lambda _: SimpleNamespace(artifacts=seen)))  # who looked a moment ago
    (folder / "artifacts" / "report.html").unlink()

    names = [artifact["name"] for artifact in api.get("/runs/1/artifacts").json()["artifacts"]]
    assert names == ["tool.log", 'deep/a "b"; é#?.csv']
    refused(api.get("/runs/1/artifacts/report.html"), 404, "not_found")


def test_a_log_that_grows_is_given_as_it_was_when_asked_for(api: httpx.Client, folder: Path) -> None:
    """The tool may write while somebody reads: the answer is whole, and as long as it was announced."""
    log = folder / "tool.log"
    line = b"so many requests\n" * 1000
    log.write_bytes(line * 500)
    has_ended = threading.Event()

    def write_on() -> None:
        with log.open("ab") as file:
            while not has_ended.is_set():
                file.write(line)
                file.flush()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        wait_until(lambda: log.stat().st_size > 501 * len(line))
        answer = api.get("/runs/1/artifacts/tool.log")
    finally:
        has_ended.set()
        writer.join()

    assert len(answer.content) == int(answer.headers["content-length"]) > 500 * len(line)
