"""While the server runs, runs that have ended get their verdicts."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

import ator_lib
from ator_lib.errors import StoreUnavailableError
from ator_lib.server.app import create_app
from ator_lib.server.judging import while_judging
from tests.support.files import synthetic_csv
from tests.support.served import BLANK, listening, wait_until


def test_a_server_judges_what_has_ended(tmp_path: Path) -> None:
    """Each run once, against its baseline; a server that is told not to judge leaves them alone."""
    workspace = ator_lib.connect(tmp_path / "data")
    for number in (1, 2):
        file = synthetic_csv(tmp_path / f"{number}.csv", [10.0 * number] * 50)
        run_id = workspace.register(test="checkout", stream="main").run_id
        workspace.ingest(file, run=run_id)
        workspace.complete(run_id, "success")

    with listening(create_app(workspace, BLANK)):
        assert len(workspace.verdicts()) == 0
    with listening(create_app(workspace, BLANK, judges=True)):
        wait_until(lambda: len(workspace.verdicts()) == 2)
    assert list(workspace.verdicts().run_id) == [2, 1]


def test_it_looks_again_until_nothing_is_left_and_after_a_while() -> None:
    """So long as something was judged, there may be more; then it waits."""
    answers = [1, 1, 0, 1, 0]
    asked = threading.Event()

    def judge() -> int:
        if not answers:
            asked.set()
            return 0
        return answers.pop(0)

    with listening(FastAPI(lifespan=while_judging(judge, every_s=0.01))):
        assert asked.wait(60)


def test_an_outage_is_told_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is raised; when it is over and comes again, it is told again."""
    outage = StoreUnavailableError("the database is away")
    course: list[Exception | None] = [outage, outage, ValueError("odd"), outage, None, outage, outage]
    is_over = threading.Event()

    def judge() -> int:
        if not course:
            is_over.set()
        happened = course.pop(0) if course else None
        if happened is not None:
            raise happened
        return 0

    with caplog.at_level(logging.WARNING), listening(FastAPI(lifespan=while_judging(judge, every_s=0.001))):
        assert is_over.wait(60)
    told = [record for record in caplog.records if "judged" in record.getMessage()]
    words = ["the database is away", "odd", "the database is away"]
    assert [record.getMessage().rpartition(": ")[2] for record in told] == words
    assert [bool(record.exc_info) for record in told] == [False, True, False]  # of a surprise also where it came from


def test_the_server_ends_when_the_one_comparison_has_ended() -> None:
    """It waits for no pause between two looks, and begins nothing more."""
    begun, asked = threading.Event(), []

    def judge() -> int:
        asked.append(1)
        begun.set()
        return 0

    with listening(FastAPI(lifespan=while_judging(judge, every_s=3600))):
        assert begun.wait(60)
    assert len(asked) == 1
