"""What holds for every test, the examples in the docstrings of ``ator_lib`` included; so it stands above both."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.support.browser",
    "tests.support.cut",
    "tests.support.embedded",
    "tests.support.influx",
    "tests.support.notebooks",
    "tests.support.postgres",
    "tests.support.racing",
    "tests.support.target",
]

# A job in the background of a script ignores SIGINT, and so would every process that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# what it remembers of a run belongs to no checkout
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "hypothesis"))

# the same examples every time, on machines of any speed; chance has its place in `make fuzz`
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

TEST_VARIABLES = ("ATOR_CHROMIUM", "ATOR_TEST_PG_URL")


LONG = {"demo", "browser", "notebooks", "execution", "runners"}
"""Folders of tests with real loads, kernels and browsers."""


@pytest.hookimpl(trylast=True)  # after the order was shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: at the end one process would be busy with them, and the others idle."""
    items.sort(key=lambda item: LONG.isdisjoint(item.path.parts))


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the default settings, whatever the shell that started them has."""
    for name in os.environ:
        if name.startswith("ATOR_") and name not in TEST_VARIABLES:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _folder_for_examples(doctest_namespace: dict[str, Any], tmp_path: Path) -> None:
    """Examples in docstrings may use ``tmp_path``."""
    doctest_namespace["tmp_path"] = tmp_path
