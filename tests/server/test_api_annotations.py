from __future__ import annotations

import getpass
from pathlib import Path

import httpx
import pytest

import ator_lib
from ator_lib.model import Role
from ator_lib.server.app import create_app
from ator_lib.server.guard import AccessRules
from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.asgi import ask
from tests.support.served import BLANK


def test_a_run_is_marked_and_the_mark_removed(api: httpx.Client, workspace: Workspace) -> None:
    """The library sees the same."""
    run_id = registered(api, test="checkout")["run_id"]
    given = {"text": "new <b>database</b> 🚀", "resets": False, "metric": "p95_ms", "name": "GET /a"}
    mark = api.post(f"/runs/{run_id}/annotations", json=given).json()

    assert {name: mark[name] for name in given} == given
    assert (mark["run_id"], mark["created_by"]) == (run_id, getpass.getuser())
    assert workspace.annotations.list()["text"].tolist() == [given["text"]]

    assert api.delete(f"/annotations/{mark['annotation_id']}").json() == mark
    assert len(workspace.annotations.list()) == 0
    refused(api.delete(f"/annotations/{mark['annotation_id']}"), 404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "  "}, {"text": "a", "metric": "p42"}, {"text": "a", "resets": "yes"}]
)
def test_odd_marks_are_refused(api: httpx.Client, workspace: Workspace, body: dict[str, object]) -> None:
    """Nothing is kept."""
    run_id = registered(api)["run_id"]

    refused(api.post(f"/runs/{run_id}/annotations", json=body), 422, "invalid")
    assert len(workspace.annotations.list()) == 0


def test_an_unknown_run_is_not_marked(api: httpx.Client) -> None:
    """There is nothing to say something of."""
    refused(api.post("/runs/99/annotations", json={"text": "a"}), 404, "not_found")


def test_marks_are_for_runners_and_carry_their_name(tmp_path: Path) -> None:
    """A viewer only looks."""
    workspace = ator_lib.connect(tmp_path / "data")
    run_id = workspace.register(test="checkout").run_id
    app = create_app(workspace, BLANK, rules=AccessRules(requires_token=True))
    tokens = {role: workspace.parts.tokens.create(f"the {role}", role)[1] for role in (Role.VIEWER, Role.RUNNER)}

    def answer(method: str, target: str, role: Role, body: bytes = b"") -> int:
        headers = {"X-API-Key": tokens[role], "Content-Type": "application/json"}
        return ask(app, method, target, headers=headers, body=[body]).status

    assert answer("POST", f"/runs/{run_id}/annotations", Role.VIEWER, b'{"text": "a"}') == 403
    assert answer("POST", f"/runs/{run_id}/annotations", Role.RUNNER, b'{"text": "a"}') == 200
    assert answer("DELETE", "/annotations/1", Role.VIEWER) == 403
    assert workspace.annotations.list()["created_by"].tolist() == ["the runner"]
