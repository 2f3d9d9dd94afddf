"""A command line whose workspace notes what it is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from ator_lib.cli.app import app
from ator_lib.cli.options import Store
from tests.support.recording_workspace import RecordingWorkspace

Ator = Callable[..., Result]


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> RecordingWorkspace:
    """Every command of the test opens this one."""
    workspace = RecordingWorkspace()
    monkeypatch.setattr(Store, "open", lambda _: workspace)
    return workspace


@pytest.fixture
def ator(workspace: RecordingWorkspace) -> Ator:
    """Call the command line on the workspace that only notes."""
    return lambda *words, **options: CliRunner().invoke(app, [*map(str, words)], **options)
