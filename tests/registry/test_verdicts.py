"""What runs were judged to be, kept once for everybody, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, insert

from ator_lib.errors import NotFoundError, UsageError
from ator_lib.model import Run, RunVerdict
from ator_lib.registry.baselines import Baselines
from ator_lib.registry.records import run_of
from ator_lib.registry.registry import Registry
from ator_lib.registry.statements import RUN
from ator_lib.registry.verdicts import Verdicts
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import ingests, summaries, test_executions

NOW = datetime.now(UTC)
WEEK_S = 7 * 24 * 3600.0


@pytest.fixture
def verdicts(engine: Engine) -> Verdicts:
    return Verdicts(engine, "1")


def ended(engine: Engine, *, days_ago: float = 1, requests: int | None = 10, **values: Any) -> Run:
    """Add a run that has ended, with or without figures of requests."""
    start = NOW - timedelta(days=days_ago)
    row = {"id": uuid4(), "status": "success", "test": "shop", "start_time": start, "end_time": start, **values}
    with write(engine) as connection:
        run = run_of(connection.execute(insert(test_executions).returning(*RUN), row).one())
        if requests is not None:
            owner = {"run_id": run.run_id, "ingest_id": uuid4().hex}
            ingest = {**owner, "created_at": NOW, "samples": 1, "truncated": False, "schema_version": 1}
            connection.execute(insert(ingests), ingest)
            total = {"scope": "total", "requests": requests, "failures": 0, "precision": "exact"}
            connection.execute(insert(summaries), owner | total)
    return run


def of(run: Run, *baseline: int, **said: Any) -> RunVerdict:
    """Make a verdict of a run."""
    words = {"verdict": "no change", "headline": "no change: all of them", **said}
    return RunVerdict(run_id=run.run_id, baseline_run_ids=baseline, judged_at=NOW, **words)


def missing(verdicts: Verdicts, **wanted: Any) -> list[int]:
    return [run.run_id for run in verdicts.missing(**{"since_s": WEEK_S, "limit": 10, **wanted})]


def test_a_verdict_is_kept_as_it_was_given(engine: Engine, verdicts: Verdicts) -> None:
    """A later one takes its place."""
    before, run = ended(engine), ended(engine)
    assert verdicts.get(run.run_id) is None
    change = {"name": "GET /a", "metric": "p95_ms", "change": 0.5, "low": 0.25, "high": 0.75}
    said = of(run, before.run_id, verdict="regressed", headline="regressed: GET /a", **change)
    assert verdicts.keep(said, pinned=None)
    assert verdicts.get(run.run_id) == said
    assert verdicts.keep(of(run, before.run_id), pinned=None)
    assert verdicts.get(run.run_id) == of(run, before.run_id)


def test_missing_are_recent_runs_that_ended_with_requests(engine: Engine, verdicts: Verdicts) -> None:
    """The latest start first, and no more than asked for; those that were cut short are judged by nobody."""
    older, later, failed = ended(engine, days_ago=3), ended(engine), ended(engine, days_ago=2, status="failure")
    ended(engine, days_ago=8)
    ended(engine, requests=None)
    ended(engine, requests=0)
    for status in ("cancelled", "abandoned", "running", "queued"):
        ended(engine, status=status)
    assert missing(verdicts) == [later.run_id, failed.run_id, older.run_id]
    assert missing(verdicts, limit=1) == [later.run_id]
    assert missing(verdicts, since_s=36 * 3600.0) == [later.run_id]
    verdicts.keep(of(later), pinned=None)
    assert missing(verdicts) == [failed.run_id, older.run_id]


def test_a_newer_method_judges_anew(engine: Engine, verdicts: Verdicts) -> None:
    """What the older one said is listed until then."""
    run = ended(engine)
    verdicts.keep(of(run, 1), pinned=None)
    newer = Verdicts(engine, "2")
    assert newer.get(run.run_id) is None
    assert [row["run_id"] for row in newer.list({}, limit=10)] == [run.run_id]
    assert missing(newer) == [run.run_id]
    newer.keep(of(run, 2), pinned=None)
    assert (missing(newer), missing(verdicts)) == ([], [run.run_id])


def test_verdicts_are_searched_like_the_history(engine: Engine, verdicts: Verdicts) -> None:
    """By what is known of the run and by the verdict; the latest start first."""
    runs = [ended(engine, days_ago=days, test=test) for days, test in ((1, "shop"), (9, "shop"), (2, "search"))]
    for run, verdict in zip(runs, ("regressed", "improved", None), strict=True):
        verdicts.keep(of(run, 5, verdict=verdict), pinned=None)
    shop, old, search = (run.run_id for run in runs)

    def found(verdict: list[str] | None = None, limit: int = 10, **where: Any) -> list[int]:
        return [row["run_id"] for row in verdicts.list(where, verdicts_wanted=verdict, limit=limit)]

    assert found() == [shop, search, old]
    assert found(limit=2) == [shop, search]
    assert found(["regressed", "improved"]) == [shop, old]
    assert found(["improved"], test="s%") == [old]
    assert found(test=["search"]) == [search]
    assert found(since=NOW - timedelta(days=3), until=NOW - timedelta(days=1.5)) == [search]
    (row,) = verdicts.list({"test": "search"}, limit=1)
    assert (row["test"], row["start_time"], row["verdict"], row["baseline_run_ids"]) == (
        "search",
        NOW - timedelta(days=2),
        None,
        [5],
    )
    with pytest.raises(UsageError, match="no filter colour"):
        found(colour="red")


def test_pinning_under_the_name_of_a_test_forgets_later_verdicts(engine: Engine, verdicts: Verdicts) -> None:
    """Those of its runs since then have another baseline; earlier ones, the run itself and other tests keep theirs."""
    pins = Baselines(engine)
    early, pinned, late = (ended(engine, days_ago=days) for days in (3, 2, 1))
    other = ended(engine, test="search")
    everything = [early, pinned, late, other]

    def kept() -> list[bool]:
        return [verdicts.get(run.run_id) is not None for run in everything]

    def judge_all() -> None:
        for run in everything:
            verdicts.keep(of(run, 9), pinned=verdicts.pinned(run.test))

    judge_all()
    pins.pin("release-1", pinned.run_id)
    assert kept() == [True] * 4
    pins.pin("shop", pinned.run_id)
    assert kept() == [True, True, False, True]
    judge_all()
    pins.remove("shop")
    assert kept() == [True, True, False, True]
    judge_all()
    with pytest.raises(NotFoundError):
        pins.remove("shop")
    assert kept() == [True] * 4


def test_a_verdict_against_what_is_no_longer_pinned_is_not_kept(engine: Engine, verdicts: Verdicts) -> None:
    """Somebody pinned another run while it was made."""
    first, second, run = (ended(engine, days_ago=days) for days in (3, 2, 1))
    pins = Baselines(engine)
    pins.pin("shop", first.run_id)
    assert verdicts.pinned("shop") == first.run_id
    pins.pin("shop", second.run_id)
    assert not verdicts.keep(of(run, first.run_id), pinned=first.run_id)
    assert not verdicts.keep(of(run, first.run_id), pinned=None)
    assert verdicts.get(run.run_id) is None
    assert verdicts.keep(of(run, second.run_id), pinned=second.run_id)


def test_who_pins_while_a_verdict_is_being_kept_waits_and_forgets_it(engine: Engine, verdicts: Verdicts) -> None:
    """Or it would be seen by nobody who could forget it."""
    baseline, run = ended(engine, days_ago=2), ended(engine)
    pinning = Thread(target=Baselines(engine).pin, args=("shop", baseline.run_id))

    def pin(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM verdicts") and pinning.ident is None:
            pinning.start()
            pinning.join(0.3)

    event.listen(engine, "before_cursor_execute", pin)
    assert verdicts.keep(of(run, 9), pinned=None)
    pinning.join()
    assert verdicts.get(run.run_id) is None


def test_a_verdict_goes_with_its_run(engine: Engine, verdicts: Verdicts) -> None:
    """And is not kept of a run that is gone."""
    run = ended(engine, requests=None)
    verdicts.keep(of(run), pinned=None)
    with write(engine) as connection:
        Registry(engine).remove(run.run_id, connection=connection)
    assert verdicts.get(run.run_id) is None
    assert not verdicts.keep(of(run), pinned=None)
    with read(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM verdicts").scalar() == 0
