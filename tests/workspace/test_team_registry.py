"""A team's registry on PostgreSQL, with bulk results in the data folder."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from ator_lib.errors import CapacityError
from ator_lib.model import RunStatus
from ator_lib.runners.locust import Locust
from ator_lib.workspace.connect import connect


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder that goes with the team's registry, by the environment."""
    monkeypatch.setenv("ATOR_DATA", str(tmp_path / "data"))
    return tmp_path


def test_the_whole_way_on_postgresql(postgres_url: str, team: Path, locustfile: Path, target: str) -> None:
    """Admission, load, results, SQL and report: the same as on the embedded registry."""
    workspace = connect(postgres_url)
    live = workspace.submit(
        Locust(locustfile, host=target, users=3, run_time=3), test="t", location="lab", factor="0.9"
    )
    with pytest.raises(CapacityError):
        connect(postgres_url).register(location="lab", factor="0.1")
    run = live.result(timeout=60)
    assert run.status is RunStatus.SUCCESS
    assert run.summary().iloc[-1].requests == len(run.samples()) > 0
    (row,) = workspace.sql("select run_id, status, factor from runs").to_dict("records")
    assert row == {"run_id": run.run_id, "status": "success", "factor": 0.9}
    assert workspace.history().iloc[0].factor == Decimal("0.9")
    report = workspace.report(run, team / "report.html").read_text(encoding="utf-8")
    assert f"Run {run.run_id}" in report
    assert not (workspace.data / "ator.db").exists()


def test_the_password_is_in_no_error(team: Path) -> None:
    """A server that does not answer is named by its host, without the password."""
    with pytest.raises(Exception, match=r"127\.0\.0\.1") as caught:
        connect("postgresql://ann:s3cret@127.0.0.1:9/ator")
    assert "s3cret" not in json.dumps([str(caught.value), repr(caught.value), str(caught.value.__cause__)])
