from __future__ import annotations

from typing import Any

import httpx

from tests.server.conftest import refused, registered


def queued(api: httpx.Client, **request: Any) -> dict[str, Any]:
    answer = api.post("/register", json={"queue": True, **request})
    assert answer.status_code == 202, answer.text
    run: dict[str, Any] = answer.json()
    return run


def test_a_run_that_finds_no_room_waits(api: httpx.Client) -> None:
    """202 with the reason and the lease that its place hangs on; it starts when asked after there is room."""
    holder = registered(api, location="lab", factor=0.6, test="long")
    waiting = queued(api, location="lab", factor=0.5, test="short")
    ask = {"lease_id": waiting["lease_id"]}

    assert (waiting["status"], waiting["refusal"]["sum"]) == ("queued", 0.6)
    still = api.post(f"/runs/{waiting['run_id']}/start", json=ask)
    assert (still.status_code, still.json()["refusal"]["holders"][0]["test"]) == (202, "long")
    api.post("/complete", json={"run_id": holder["run_id"], "status": "success"})
    started = api.post(f"/runs/{waiting['run_id']}/start", json=ask)
    assert (started.status_code, started.json()["status"], started.json()["lease_id"]) == (200, "running", None)


def test_a_run_that_finds_room_does_not_wait(api: httpx.Client) -> None:
    """``queue`` only says what to do otherwise."""
    assert registered(api, queue=True, location="lab", factor=0.5)["status"] == "running"


def test_the_queue_lists_places(api: httpx.Client) -> None:
    """By location, the higher priority first, with those that each waits for."""
    registered(api, location="lab", factor=0.9, test="holder")
    queued(api, location="lab", factor=0.5, test="late")
    queued(api, location="lab", factor=0.5, test="urgent", priority=5)
    registered(api, location="elsewhere", factor=0.9)
    queued(api, location="elsewhere", factor=0.5)
    places = api.get("/queue", params={"location": "lab"}).json()["queue"]

    assert [(place["position"], place["run"]["test"]) for place in places] == [(1, "urgent"), (2, "late")]
    assert [holder["test"] for holder in places[1]["waits_for"]] == ["holder", "urgent"]
    assert places[0]["estimated_start"] is None
    assert places[0]["estimate_note"]
    assert len(api.get("/queue").json()["queue"]) == 3


def test_leaving_the_queue_cancels(api: httpx.Client) -> None:
    """The reason is kept; asking again says that it is over."""
    registered(api, location="lab", factor=0.9)
    run = queued(api, location="lab", factor=0.5)
    ask = {"lease_id": run["lease_id"]}
    left = api.post(f"/runs/{run['run_id']}/leave", json={**ask, "reason": "queue_timeout"}).json()

    assert (left["status"], left["status_reason"]) == ("cancelled", "queue_timeout")
    refused(api.post(f"/runs/{run['run_id']}/start", json=ask), 409, "cancelled")


def test_another_ones_place_cannot_be_taken(api: httpx.Client) -> None:
    """Only who knows the lease can start the run."""
    registered(api, location="lab", factor=0.9)
    run = queued(api, location="lab", factor=0.5)

    refused(api.post(f"/runs/{run['run_id']}/start", json={"lease_id": "guess"}), 409, "lease_lost")
