"""The lines of Python that make what a page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ator_lib import Workspace


def as_script(workspace: Workspace, lines: str) -> str:
    """Put what opens the workspace before the lines; nothing before none."""
    if not lines:
        return ""
    return f"import ator_lib as ator\n\nws = {_opening(workspace)}\n{lines}"


def _opening(workspace: Workspace) -> str:
    if workspace.database.startswith("PostgreSQL"):  # whose URL has a password in it
        return "ator.connect()  # with ATOR_DATABASE_URL and ATOR_DATA as this server has them"
    return f"ator.connect({str(workspace.data.absolute())!r})"


def call(name: str, *arguments: object, **options: object) -> str:
    """Write a call; options that are null are left out.

    Examples
    --------
    >>> call("ws.history", stream="main%", limit=None)
    "ws.history(stream='main%')"
    """
    given = [repr(argument) for argument in arguments]
    given += [f"{option}={value!r}" for option, value in options.items() if value is not None]
    return f"{name}({', '.join(given)})"
