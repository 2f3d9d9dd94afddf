"""What tests of pages share: a workspace, visitors, and what a page shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import panel as pn
import pytest

import ator_lib as ator
from ator_lib.model import Role
from ator_lib.server.visitors import Visitor
from panel_app.fragment import Fragment
from panel_app.page import Page

VIEWER = Visitor(name="vera", role=Role.VIEWER, can_log_out=True)
RUNNER = Visitor(name="rob", role=Role.RUNNER, can_log_out=True)

AnyPage = TypeVar("AnyPage", bound=Page)


@pytest.fixture
def ws(empty_data: Path) -> Iterator[ator.Workspace]:
    """Return an empty workspace."""
    workspace = ator.connect(empty_data)
    yield workspace
    workspace.parts.engine.dispose()


@pytest.fixture(autouse=True)
def nothing_shared() -> Iterator[None]:
    """Forget what pages share between sessions."""
    yield
    pn.state.cache.clear()


def refreshed(page: AnyPage, query: str = "?") -> AnyPage:
    """Give the page when it has been opened at that query and has read the workspace."""
    page.go(query)
    asyncio.run(page.refresh())
    return page


def shown(page: Page) -> str:
    """Give all HTML that the page shows."""
    return "\n".join(fragment.html for fragment in page.__panel__().select(Fragment) if fragment.visible)
