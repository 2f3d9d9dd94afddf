"""Empty embedded workspaces, copied: that is quicker than to make each database anew.

Fixtures (``tests.support.embedded`` stands in ``pytest_plugins``): ``empty_data``, the data folder of one, and
``empty_template``, which is not to be changed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ator_lib as ator


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the data folder that is copied."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    ator.connect(folder).parts.engine.dispose()
    return folder


@pytest.fixture
def empty_data(empty_template: Path, tmp_path: Path) -> Path:
    """Make ``tmp_path / "data"``, the data folder of an empty workspace."""
    return shutil.copytree(empty_template, tmp_path / "data")
