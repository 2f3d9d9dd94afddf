from __future__ import annotations

import httpx
import pytest

from tests.server.conftest import refused, registered


def test_locations_are_added_changed_and_listed(api: httpx.Client) -> None:
    """With what is taken of each, by whom."""
    added = api.post("/locations", json={"name": "lab", "capacity": "2.5", "description": "the rack"}).json()
    registered(api, location="lab", factor=0.5, test="checkout")
    changed = api.patch("/locations/lab", json={"capacity": 1, "status": "draining"}).json()

    assert (added["name"], added["capacity"], added["taken"], added["free"]) == ("lab", 2.5, 0, 2.5)
    assert (changed["capacity"], changed["status"], changed["description"]) == (1, "draining", "the rack")
    assert changed["holders"] == [{"run_id": 1, "test": "checkout", "factor": 0.5}]
    assert api.get("/locations").json() == {"locations": [changed]}
    assert refused(api.post("/register", json={"location": "lab"}), 409, "no_capacity")["location_status"] == "draining"


def test_a_name_may_have_a_slash(api: httpx.Client) -> None:
    """Teams write ``region/rack``."""
    api.post("/locations", json={"name": "eu/rack 1"})

    assert api.patch("/locations/eu/rack%201", json={"capacity": 3}).json()["name"] == "eu/rack 1"


@pytest.mark.parametrize("name", [" ", " lab", "lab ", "la\tb", "la\u200bb", "la\x1bb"])
def test_a_run_names_its_location_in_letters_that_can_be_seen(empty_api: httpx.Client, name: str) -> None:
    """Names that look alike would be two places: nothing is registered or made."""
    problem = refused(empty_api.post("/register", json={"location": name}), 422, "invalid")

    assert "cannot be the name of a location" in problem["message"]
    assert empty_api.get("/locations").json() == {"locations": []}


def test_odd_changes_are_refused(api: httpx.Client) -> None:
    """A second one of the name, an unknown one, nothing to change, an impossible capacity."""
    api.post("/locations", json={"name": "lab"})

    refused(api.post("/locations", json={"name": "lab"}), 409, "conflict")
    refused(api.patch("/locations/other", json={"capacity": 1}), 404, "not_found")
    refused(api.patch("/locations/lab", json={}), 422, "invalid")
    refused(api.patch("/locations/lab", json={"capacity": -1}), 422, "invalid")


def test_baselines_are_pinned_moved_and_unpinned(api: httpx.Client) -> None:
    """A name stands for one run at a time."""
    first, second = registered(api)["run_id"], registered(api)["run_id"]
    api.put("/baselines/release/1", json={"run_id": first})
    moved = api.put("/baselines/release/1", json={"run_id": second}).json()

    assert (moved["name"], moved["run_id"]) == ("release/1", second)
    assert api.get("/baselines").json() == {"baselines": [moved]}
    assert api.delete("/baselines/release/1").json() == moved
    refused(api.delete("/baselines/release/1"), 404, "not_found")
    refused(api.put("/baselines/release", json={"run_id": 99}), 404, "not_found")


def test_a_baseline_is_not_deleted(api: httpx.Client) -> None:
    """Others are compared with it."""
    run_id = registered(api)["run_id"]
    api.post("/complete", json={"run_id": run_id, "status": "success"})
    api.put("/baselines/release", json={"run_id": run_id})

    assert "release" in refused(api.delete(f"/runs/{run_id}"), 409, "conflict")["message"]
