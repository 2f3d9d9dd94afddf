"""What the fields of forms suggest: values that runs have had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

from panel_app.runs_filter import TEXTS

if TYPE_CHECKING:
    from ator_lib import Workspace

MOST = 100
"""Values of a field: nobody reads more."""

KEPT_S = 300
"""All open pages share one look at the workspace, this fresh."""


def suggestions(workspace: Workspace) -> dict[str, list[str]]:
    """Give the first values of each text field of runs."""
    return pn.state.as_cached(
        "suggestions",
        _look,  # type: ignore[arg-type]  # wrongly annotated: it is called with the keywords
        ttl=KEPT_S,
        workspace=workspace,
    )


def _look(workspace: Workspace) -> dict[str, list[str]]:
    return {name: workspace.values(name)[:MOST] for name in TEXTS}
