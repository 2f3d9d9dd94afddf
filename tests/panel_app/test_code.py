from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ator_lib as ator
from panel_app.code import as_script, call


def test_the_lines_open_the_same_workspace(ws: ator.Workspace) -> None:
    """As they stand there, wherever the notebook is."""
    ws.register(test="checkout")
    names: dict[str, Any] = {}
    exec(as_script(ws, call("runs = ws.history", test="check%", limit=5, stream=None)), names)

    assert names["runs"]["test"].tolist() == ["checkout"]
    names["ws"].parts.engine.dispose()


def test_a_relative_data_folder_is_written_out() -> None:
    """A notebook is elsewhere."""
    workspace: Any = SimpleNamespace(data=Path("data"), database="the database data/ator.db")

    assert f"ws = ator.connect({str(Path.cwd() / 'data')!r})" in as_script(workspace, "ws.running()")


def test_a_database_with_a_password_is_not_written_out() -> None:
    """The notebook takes it from its environment."""
    workspace: Any = SimpleNamespace(data=Path("data"), database="PostgreSQL at db.example, database 'ator'")

    assert "ws = ator.connect()  # with ATOR_DATABASE_URL" in as_script(workspace, "ws.running()")


def test_no_lines_are_no_script() -> None:
    """A page that shows nothing of the library has no code."""
    assert as_script(SimpleNamespace(), "") == ""  # type: ignore[arg-type]


def test_a_call_is_python() -> None:
    """Whatever the names are."""
    name = "a'b\"\n\\ 🚀"

    assert eval(call("dict", [1], x=name, y=None)[:4] + call("", x=name, y=None)) == {"x": name}
