from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ator_lib.errors import StoreError, UsageError
from ator_lib.model import (
    SUPERVISOR,
    Admission,
    Baseline,
    EndpointProgress,
    ErrorProgress,
    HistoryPage,
    Holder,
    LoadProfile,
    LocationStatus,
    LocationUse,
    Progress,
    QueuePlace,
    Refusal,
    Run,
    RunRequest,
    RunStatus,
)
from ator_lib.registry import wire

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOLDER = Holder(run_id=7, test=None, factor=Decimal("0.4"))
RUN = Run(
    id=UUID(int=7),
    run_id=7,
    status=RunStatus.RUNNING,
    test="checkout",
    factor=Decimal("0.4"),
    start_time=NOON,
    lease_id="key",
    load_profile=LoadProfile(users=50, run_time_s=120.0),
    progress=Progress(
        elapsed_s=12.5,
        requests=3,
        p95_ms=83.4,
        endpoints=(EndpointProgress(name="/a", method="GET", requests=3, throughput_rps=1.5),),
        errors=(ErrorProgress(name="/a", error="500", requests=1),),
    ),
    attributes={"tags": ["nightly"], "build": 7},
)
REFUSAL = Refusal(
    location="lab",
    taken=Decimal("0.4"),
    requested=Decimal("0.7"),
    limit=Decimal(1),
    holders=(HOLDER,),
    ahead=(HOLDER,),
    status=LocationStatus.DRAINING,
)


def over_the_wire(document: dict[str, Any]) -> dict[str, Any]:
    """Give what the other side reads."""
    read: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False).encode("ascii"))
    return read


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**12), max_value=10**12)
texts = st.none() | st.text(st.characters(exclude_categories=()))  # half characters, too
moments = st.none() | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.astimezone(UTC))
runs = st.builds(
    Run,
    id=st.uuids(),
    run_id=st.integers(1, 2**31 - 1),
    status=st.sampled_from(RunStatus),
    test=texts,
    dashboard_url=texts,
    location=texts,
    start_time=moments,
    queued_at=moments,
    factor=st.none() | decimals,
    lease_id=texts,
    attributes=st.dictionaries(
        st.text().filter(lambda name: name != SUPERVISOR), texts | st.integers() | st.booleans()
    ),
)


@settings(database=None, deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(runs)
def test_a_run_comes_back_as_it_was(run: Run) -> None:
    """Every field: each decimal digit, each microsecond, half characters as well."""
    document = over_the_wire(wire.run_to_json(run, with_lease=True))

    assert wire.run_from_json(document) == run
    assert document["stale"] is run.is_stale(datetime.now(UTC))


def test_every_record_comes_back_as_it_was() -> None:
    """What the server writes is what a remote client reads."""
    location = LocationUse(
        name="lab", capacity=Decimal("2.5"), taken=Decimal("0.4"), holders=(HOLDER,), waiting=(HOLDER,), description="x"
    )
    place = QueuePlace(run=RUN, position=2, waits_for=(HOLDER,), estimated_start=NOON, estimate_note="by 3 runs")
    baseline = Baseline(name="release", run_id=7, pinned_at=NOON)
    admission = Admission(run=RUN, refusal=REFUSAL)
    open_run = wire.run_from_json(wire.run_to_json(RUN))
    page = HistoryPage(runs=(open_run, open_run), next_cursor="abc")

    assert wire.refusal_from_json(over_the_wire(wire.refusal_to_json(REFUSAL))) == REFUSAL
    assert wire.admission_from_json(over_the_wire(wire.admission_to_json(admission))) == admission
    assert wire.location_from_json(over_the_wire(wire.location_to_json(location))) == location
    assert wire.baseline_from_json(over_the_wire(wire.baseline_to_json(baseline))) == baseline
    assert wire.page_from_json(over_the_wire(wire.page_to_json(page))) == page
    assert wire.place_from_json(over_the_wire(wire.place_to_json(place))).waits_for == (HOLDER,)
    assert wire.admission_from_json(over_the_wire(wire.admission_to_json(Admission(run=RUN)))) == Admission(run=RUN)


def test_the_lease_and_the_supervisor_stay_here() -> None:
    """The lease goes to the one who registered the run; paths of this machine to nobody."""
    run = Run(
        id=UUID(int=1), run_id=1, status=RunStatus.RUNNING, lease_id="key", attributes={SUPERVISOR: {"lock": "/x"}}
    )

    assert "lease_id" not in wire.run_to_json(run)
    assert wire.run_to_json(run, with_lease=True)["lease_id"] == "key"
    assert wire.run_to_json(run, with_lease=True)["attributes"] == {}


def test_a_run_is_stale_as_of_a_moment() -> None:
    """It has no lease and runs for more than a day."""
    run = Run(id=UUID(int=1), run_id=1, status=RunStatus.RUNNING, start_time=NOON)

    assert not wire.run_to_json(run, now=NOON + timedelta(hours=24))["stale"]
    assert wire.run_to_json(run, now=NOON + timedelta(hours=25))["stale"]


def test_a_refusal_has_the_published_names() -> None:
    """Sum, requested, limit and holders."""
    assert wire.refusal_to_json(REFUSAL) == {
        "location": "lab",
        "sum": 0.4,
        "requested": 0.7,
        "limit": 1,
        "holders": [{"run_id": 7, "test": None, "factor": 0.4}],
        "ahead": [{"run_id": 7, "test": None, "factor": 0.4}],
        "location_status": "draining",
    }


def test_a_request_says_only_what_was_said() -> None:
    """The rest is the server's to decide."""
    request = RunRequest(test="checkout", factor=Decimal("0.10"), attributes={"tags": ["nightly"]})

    assert wire.request_to_json(request) == {"test": "checkout", "factor": 0.1, "attributes": {"tags": ["nightly"]}}
    assert wire.request_to_json(RunRequest()) == {}


@pytest.mark.parametrize("number", ["0.1", "0.30000000000000004", "1", "1e-18", "0.123456789012345678", "1e400", "NaN"])
def test_decimals_are_numbers_where_those_say_the_same(number: str) -> None:
    """JSON readers make binary floats of numbers."""
    written = wire.to_json(Decimal(number))
    read = json.loads(json.dumps(written, allow_nan=False))

    assert str(Decimal(str(read)).normalize()) == str(Decimal(number).normalize())
    assert isinstance(written, str) == (number in ("0.123456789012345678", "1e400", "NaN"))


def test_values_of_other_libraries_are_what_they_stand_for() -> None:
    """NumPy's and pandas' texts, numbers and times are Python's, too; what is none of these is refused."""
    noon = pd.Timestamp(NOON).tz_convert("Asia/Tokyo")
    assert wire.to_json([np.str_("a"), np.float64(0.5), np.float64("nan"), noon, MappingProxyType({"a": True})]) == [
        *("a", 0.5, None, "2026-11-02T12:00:00+00:00"),
        {"a": True},
    ]
    assert wire.request_to_json(RunRequest(test=np.str_("checkout"))) == {"test": "checkout"}
    for odd in (object(), np.int64(7), {1, 2}, RunRequest):
        with pytest.raises(UsageError, match="cannot be sent: give a text"):
            wire.to_json(odd)


def test_what_other_programs_wrote_can_be_said() -> None:
    """NaN in a document that SQLite kept is not measured."""
    assert wire.to_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": None}}) == {
        "a": None,
        "b": [None, 1.5],
        "c": {"d": None},
    }


@pytest.mark.parametrize(
    "change",
    [{"id": "x"}, {"status": "gone"}, {"start_time": "soon"}, {"factor": "half"}, {"progress": []}, {"attributes": 5}],
    ids=str,
)
def test_an_answer_that_is_no_run_is_said_to_be_none(change: dict[str, Any]) -> None:
    """Some other server answered, or a newer one."""
    with pytest.raises(StoreError, match="ATOR server"):
        wire.run_from_json(wire.run_to_json(RUN) | change)


def test_what_a_newer_server_adds_is_ignored() -> None:
    """Also within a run's own records."""
    profile = {"users": 50, "run_time_s": 120.0, "shape": "step"}

    assert wire.run_from_json(wire.run_to_json(RUN, with_lease=True) | {"load_profile": profile, "new": 1}) == RUN


@pytest.mark.parametrize("document", [None, [], "run", {}, {"run_id": 1}])
def test_an_answer_of_another_kind_is_said_to_be_none(document: Any) -> None:
    """A proxy's page, for example."""
    for read in (wire.run_from_json, wire.place_from_json, wire.admission_from_json):
        with pytest.raises(StoreError, match="ATOR server"):
            read(document)
