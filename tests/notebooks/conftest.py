from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

import ator_lib as ator
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace
from tests.support.postgres import fresh_database
from tests.support.shop_runs import ingest_shop_runs


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A workspace with the runs of the made-up shop, oldest first."""

    ws: ator.Workspace
    runs: list[int]


@pytest.fixture(scope="session", params=["parquet", "postgres"])
def shop_runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Fill one store of each kind, once for all tests: none of them changes these runs."""
    folder = tmp_path_factory.mktemp("shop")
    with ExitStack() as stack:
        if request.param == "parquet":
            settings = load_settings(data=folder)
        else:
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres_server")))
            settings = load_settings(data=folder, database_url=url, results="postgres")
        ws = open_workspace(settings)
        yield Shop(ws=ws, runs=ingest_shop_runs(ws, folder))
