from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import ator_lib as ator
from ator_lib.server.bodies import CommitBody
from ator_lib.server.queries import ResultsQuery
from ator_lib.workspace.uploads import new_folder
from panel_app.file_drop import FileDrop
from panel_app.pages.upload import UploadPage
from tests.panel_app.conftest import RUNNER, VIEWER, refreshed, shown
from tests.support.histories import add_history

JTL = """timeStamp,elapsed,label,responseCode,responseMessage,threadName,success
1700000000000,100,GET /search,200,OK,Thread 1,true
1700000001000,300,GET /search,500,Oops,Thread 1,false
1700000002000,200,GET <b>&\U0001f600,200,OK,Thread 1,true
"""

JUNIT = '<testsuite name="api"><testcase name="login" time="0.1"/></testsuite>'


def uploaded(
    ws: ator.Workspace,
    content: str = JTL,
    file_name: str = "results.jtl",
    *,
    said: Mapping[str, object] = MappingProxyType({}),
    **options: Any,
) -> str:
    """Let a file wait as the server's door does, which was told how to read it; gives the upload's id."""
    upload_id = new_folder(ws.data).name
    path = ws.uploads.file_of(upload_id, file_name)
    path.parent.mkdir()
    path.write_text(content)
    preview = ws.preview(path, **options).to_dict()
    ws.uploads.keep(upload_id, file_name=file_name, how={"file_name": file_name, **said}, preview=preview)
    return upload_id


def upload_page(ws: ator.Workspace, upload_id: str = "", visitor: object = RUNNER) -> UploadPage:
    """Open the page at that upload, or at none."""
    return refreshed(UploadPage(ws, visitor), f"?upload={upload_id}")  # type: ignore[arg-type]  # any visitor


def drop_of(page: UploadPage) -> FileDrop:
    """Give the place to drop a file."""
    (drop,) = page.__panel__().select(FileDrop)
    return drop


def names_of_fields(html: str) -> set[str]:
    """Give the names of what can be filled in."""
    return set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', html))


def test_runners_get_a_place_to_drop_a_file(ws: ator.Workspace) -> None:
    """All formats are offered, and whatever else the door lets one say about a file."""
    page = upload_page(ws)

    assert drop_of(page).visible
    assert all(f'<option value="{known.name}">' in drop_of(page).html for known in ator.formats())
    assert names_of_fields(drop_of(page).html) == set(ResultsQuery.model_fields) - {"file_name"}
    assert not page.is_live


def test_viewers_are_told_why_there_is_none(ws: ator.Workspace) -> None:
    """Uploading takes another role, and a command that makes a token for it."""
    page = upload_page(ws, visitor=VIEWER)

    assert not drop_of(page).visible
    assert "Uploading takes the role runner, and yours is viewer." in shown(page)


def test_preview_tells_what_would_become_a_run(ws: ator.Workspace) -> None:
    """The ingest report, the figures of all requests, the endpoints; nothing is ingested yet."""
    page = upload_page(ws, uploaded(ws))
    html = shown(page)

    assert "3 rows read as jtl, written by jmeter: 3 kept" in html
    assert '<div class="value">33.3 %</div>' in html
    assert '<span class="clamp">GET /search</span>' in html
    assert '<time datetime="2023-11-14T22:13:20Z">' in html
    assert not drop_of(page).visible
    assert ws.count() == 0


def test_form_asks_what_the_door_takes(ws: ator.Workspace) -> None:
    """Its fields are sent as they are called, and suggest what runs have had."""
    add_history(ws.parts.engine, [1.0], stream="main")
    upload_id = uploaded(ws)
    html = shown(upload_page(ws, upload_id))

    assert names_of_fields(html) == set(CommitBody.model_fields) - {"attributes"}
    assert f'<form data-send="/uploads/{upload_id}/commit" data-then="/run?run_id={{run_id}}"' in html
    assert f'data-post="/uploads/{upload_id}" data-method="DELETE"' in html
    assert '<datalist id="known-stream"><option value="main">' in html


def test_viewers_see_a_preview_without_a_form(ws: ator.Workspace) -> None:
    """A link to an upload can be shown to anybody who may look."""
    html = shown(upload_page(ws, uploaded(ws), visitor=VIEWER))

    assert "3 kept" in html
    assert "<form" not in html
    assert "data-post" not in html


def test_rows_that_were_left_out_are_listed(ws: ator.Workspace) -> None:
    """With their line and reason, so that somebody can judge whether that is fine."""
    broken = JTL + "1700000003000,soon,GET /search,200,OK,Thread 1,true\n"
    html = shown(upload_page(ws, uploaded(ws, broken, max_rejected_rate=0.5)))

    assert "1 of 4 rows cannot be read, and are left out." in html
    assert '<td data-label="Line" class="n">5</td>' in html


def test_cases_have_no_figures(ws: ator.Workspace) -> None:
    """What has no requests is told by its rows."""
    html = shown(upload_page(ws, uploaded(ws, JUNIT, "junit.xml")))

    assert "1 cases" in html
    assert 'class="tiles"' not in html
    assert 'aria-label="Endpoints"' not in html


def test_odd_names_are_shown_as_they_are(ws: ator.Workspace) -> None:
    """HTML and emoji are text, in the file's name and in those of requests."""
    html = shown(upload_page(ws, uploaded(ws, file_name="<i>\U0001f600.jtl")))

    assert "&lt;i&gt;\U0001f600.jtl" in html
    assert "GET &lt;b&gt;&amp;\U0001f600" in html
    assert not {"<i>", "<b>"} & set(re.findall("<[ib]>", html))


@pytest.mark.parametrize("upload_id", ["0" * 32, "..%2F..%2Fetc", "%00", "\U0001f600" * 500])
def test_upload_that_is_not_there(ws: ator.Workspace, upload_id: str) -> None:
    """An id may be of the past, or any text: there is a way on."""
    html = shown(upload_page(ws, upload_id))

    assert "This upload is not there." in html
    assert '<a href="?" data-view>Upload a file</a>' in html


def test_upload_waits_for_an_hour(ws: ator.Workspace) -> None:
    """Then it is as if it never was."""
    upload_id = uploaded(ws)
    (about,) = ws.uploads.file_of(upload_id, "x").parent.parent.glob("*.json")
    before = time.time() - 3601
    os.utime(about, (before, before))

    assert "This upload is not there." in shown(upload_page(ws, upload_id))


def test_code_gives_the_same_preview(ws: ator.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line runs where the file is."""
    table = "latency,endpoint,ok\n0.1,/a,true\n0.3,/b,true\n"
    said = {"format": None, "columns": "duration_ms=latency:s, name=endpoint,success=ok"}
    columns = {"duration_ms": "latency:s", "name": "endpoint", "success": "ok"}
    upload_id = uploaded(ws, table, "table.csv", said=said, columns=columns)
    (tmp_path / "table.csv").write_text(table)
    monkeypatch.chdir(tmp_path)
    page = upload_page(ws, upload_id)

    again = eval(page.code(page.read()), {"ws": ws}).to_dict()

    assert [again["lines"], again["total"]] == [
        ws.uploads.get(upload_id).preview["lines"],
        ws.uploads.get(upload_id).preview["total"],
    ]
