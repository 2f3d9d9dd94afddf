"""A lease that can never be renewed again is lost at once, whatever the refusal is called."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import delete

from ator_lib.execution.heartbeat import Heartbeat
from ator_lib.model import RunRequest
from ator_lib.registry.client import ServerClient
from ator_lib.registry.remote import RemoteRegistry
from ator_lib.server.app import create_app
from ator_lib.server.guard import AccessRules
from ator_lib.sql.engine import write
from ator_lib.sql.tables import test_executions
from ator_lib.workspace.connect import connect
from ator_lib.workspace.workspace import Workspace
from tests.support.served import listening

LEASE_S = 3.0
WAIT_S = 20.0


@pytest.fixture
def workspace(empty_data: Path) -> Workspace:
    """An embedded workspace of its own."""
    return connect(empty_data)


def test_a_run_that_was_removed(workspace: Workspace) -> None:
    """As by a forced reset: its executor is told."""
    registry = workspace.parts.registry
    run = registry.register(RunRequest(), lease_s=LEASE_S)
    renewed, lost = threading.Event(), threading.Event()
    with Heartbeat(registry, run, LEASE_S, on_renewed=lambda _: renewed.set(), on_lost=lost.set):
        assert renewed.wait(WAIT_S)
        with write(workspace.parts.engine) as connection:
            connection.execute(delete(test_executions))
        assert lost.wait(WAIT_S)


def test_a_token_that_was_revoked(workspace: Workspace) -> None:
    """Its lease will lapse in any case, and others be admitted in its place."""
    _, secret = workspace.tokens.create("ci", "runner")
    renewed, lost = threading.Event(), threading.Event()
    with listening(create_app(workspace, {}, rules=AccessRules(requires_token=True))) as url:
        registry = RemoteRegistry(ServerClient(url, secret))
        run = registry.register(RunRequest(), lease_s=LEASE_S)
        with Heartbeat(registry, run, LEASE_S, on_renewed=lambda _: renewed.set(), on_lost=lost.set):
            assert renewed.wait(WAIT_S)
            workspace.tokens.revoke("ci")
            assert lost.wait(WAIT_S)
