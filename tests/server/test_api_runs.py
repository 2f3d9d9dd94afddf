from __future__ import annotations

import httpx
import pytest

from ator_lib.model import SUPERVISOR
from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import EXAMPLE, refused, registered


def test_the_published_example_registers_a_run(api: httpx.Client) -> None:
    """The example request works as it is; the answer has its fields and a run_id."""
    run = registered(api, **EXAMPLE)

    assert {name: run[name] for name in EXAMPLE} == EXAMPLE
    assert (run["run_id"], run["status"], run["lease_id"]) == (1, "running", None)
    assert run["start_time"].endswith("+00:00")


def test_a_second_one_that_fills_the_location_is_told_why(api: httpx.Client) -> None:
    """0.5 + 0.5 is not below 1: a 409 with sum, requested, limit and holders."""
    registered(api, **EXAMPLE)
    problem = refused(api.post("/register", json=EXAMPLE), 409, "no_capacity")

    assert problem["location"] == "azure-k8s"
    assert (problem["sum"], problem["requested"], problem["limit"]) == (0.5, 0.5, 1)
    assert problem["holders"] == [{"run_id": 1, "test": "checkout", "factor": 0.5}]
    assert "azure-k8s" in problem["message"]


def test_factors_are_decimals(api: httpx.Client) -> None:
    """Ten times 0.1 is 1 and is refused, whether as a number or as text."""
    for number in range(9):
        registered(api, location="lab", factor=0.1 if number % 2 else "0.1")

    assert refused(api.post("/register", json={"location": "lab", "factor": 0.1}), 409, "no_capacity")["sum"] == 0.9


def test_a_decimal_that_no_json_number_says_is_text(api: httpx.Client) -> None:
    """Nothing is rounded on its way out."""
    assert registered(api, factor="0.123456789012345678")["factor"] == "0.123456789012345678"


def test_an_idempotency_key_gives_the_same_run(api: httpx.Client) -> None:
    """A client that lost the answer asks again; another request with the key is refused."""
    key = {"Idempotency-Key": "job-4711"}
    first, second = (api.post("/register", json=EXAMPLE, headers=key).json() for _ in range(2))

    assert first == second
    refused(api.post("/register", json={"test": "other"}, headers=key), 409, "conflict")


def test_complete_frees_the_location(api: httpx.Client) -> None:
    """The same status again changes nothing; another one is refused."""
    run_id = registered(api, **EXAMPLE)["run_id"]
    done = api.post("/complete", json={"run_id": run_id, "status": "failure", "reason": "requests_failed"})
    again = api.post("/complete", json={"run_id": run_id, "status": "failure"})

    assert (done.json()["status"], done.json()["status_reason"]) == ("failure", "requests_failed")
    assert again.json() == done.json()
    refused(api.post("/complete", json={"run_id": run_id, "status": "success"}), 409, "conflict")
    registered(api, **EXAMPLE)


def test_cancel_ends_a_run_and_asks_a_leased_one(api: httpx.Client) -> None:
    """A run under a lease stays running until its executor has stopped."""
    plain, leased = registered(api, test="plain"), registered(api, test="leased", lease_s=60)
    cancelled, asked = (api.post("/cancel", json={"run_id": run["run_id"]}).json() for run in (plain, leased))

    assert (cancelled["status"], cancelled["status_reason"]) == ("cancelled", "stopped_by_user")
    assert (asked["status"], asked["stop_requested_at"] is not None) == ("running", True)


def test_a_heartbeat_renews_and_tells_progress(api: httpx.Client) -> None:
    """The answer says whether somebody wants the run stopped."""
    run = registered(api, lease_s=60)
    progress = {"elapsed_s": 12.5, "requests": 1200, "users": 50, "throughput_rps": 98.5}
    beat = {"run_id": run["run_id"], "lease_id": run["lease_id"], "lease_s": 600, "progress": progress}
    answer = api.post("/heartbeat", json=beat).json()

    assert answer["progress"] == {**progress, "failures": 0, "p95_ms": None, "endpoints": [], "errors": []}
    assert answer["lease_expires_at"] > run["lease_expires_at"]
    assert answer["stop_requested_at"] is None
    api.post("/cancel", json={"run_id": run["run_id"]})
    assert api.post("/heartbeat", json=beat).json()["stop_requested_at"] is not None


def test_heartbeats_are_the_points_of_a_run(api: httpx.Client) -> None:
    """Also those later than a moment alone; endpoints and errors are told of the last one, with the run."""
    run = registered(api, lease_s=60)
    endpoint = {"name": "/a", "method": "GET", "requests": 7, "failures": 2, "throughput_rps": 1.5, "p95_ms": None}
    error = {"name": "/a", "method": None, "error": "500", "requests": 2}
    for elapsed_s in (2.0, 4.0):
        progress = {"elapsed_s": elapsed_s, "requests": 7, "endpoints": [endpoint], "errors": [error]}
        beat = {"run_id": run["run_id"], "lease_id": run["lease_id"], "progress": progress}
        assert api.post("/heartbeat", json=beat).status_code == 200
    first, second = api.get(f"/runs/{run['run_id']}/progress").json()["progress"]

    assert (first["elapsed_s"], first["requests"], first["users"], first["p95_ms"]) == (2.0, 7, None, None)
    assert run["start_time"] < first["at"] < second["at"]
    later = api.get(f"/runs/{run['run_id']}/progress", params={"since_s": 2}).json()
    assert later == {"progress": [second]}
    told = api.get(f"/runs/{run['run_id']}").json()["progress"]
    assert (told["endpoints"], told["errors"]) == ([endpoint], [error])
    refused(api.get("/runs/77/progress"), 404, "not_found")
    refused(api.get(f"/runs/{run['run_id']}/progress?since_s=-1"), 422, "invalid")


@pytest.mark.parametrize(("part", "most"), [("endpoints", 50), ("errors", 10)])
def test_a_heartbeat_of_too_much_is_refused(api: httpx.Client, part: str, most: int) -> None:
    """A live table has an end; so has a name."""
    run = registered(api, lease_s=60)
    row = {"name": "/a", "requests": 1} | ({"error": "500"} if part == "errors" else {})
    beat = {"run_id": run["run_id"], "lease_id": run["lease_id"], "progress": {"elapsed_s": 2.0, part: [row] * most}}

    assert api.post("/heartbeat", json=beat).status_code == 200
    beat["progress"][part] = [row] * (most + 1)
    refused(api.post("/heartbeat", json=beat), 422, "invalid")
    beat["progress"][part] = [{**row, "name": "x" * 501}]
    refused(api.post("/heartbeat", json=beat), 422, "invalid")


def test_a_lost_lease_is_said_to_be_lost(api: httpx.Client) -> None:
    """Whoever hears it must stop its tool."""
    run = registered(api, lease_s=60)

    refused(api.post("/heartbeat", json={"run_id": run["run_id"], "lease_id": "other"}), 409, "lease_lost")


def test_the_lease_is_told_to_its_holder_only(api: httpx.Client) -> None:
    """It is the key to the run."""
    run = registered(api, lease_s=60)
    everybody = [api.get(f"/runs/{run['run_id']}"), api.get("/status"), api.get("/history")]

    assert all(run["lease_id"] not in answer.text and "lease_id" not in answer.text for answer in everybody)


def test_a_running_run_gets_a_lease_once(api: httpx.Client, workspace: Workspace) -> None:
    """It is the workspace's own length unless another is asked for."""
    run_id = registered(api)["run_id"]
    leased = api.post(f"/runs/{run_id}/lease", json={}).json()

    assert leased["lease_id"] == workspace.parts.registry.get(run_id).lease_id
    refused(api.post(f"/runs/{run_id}/lease", json={}), 409, "conflict")


def test_a_run_is_changed_at_any_time(api: httpx.Client) -> None:
    """Attributes are merged, tags added and removed, also after its end."""
    run_id = registered(api, attributes={"build": 7}, tags=["old", "nightly"])["run_id"]
    api.post("/complete", json={"run_id": run_id, "status": "success"})
    change = {"dashboard_url": "https://example.org/2", "attributes": {"git": "0f3c"}, "remove_tags": ["old"]}
    answer = api.patch(f"/runs/{run_id}", json=change).json()

    assert answer["dashboard_url"] == "https://example.org/2"
    assert answer["attributes"] == {"build": 7, "git": "0f3c", "tags": ["nightly"]}


def test_delete_forgets_an_ended_run(api: httpx.Client) -> None:
    """A running one is kept."""
    run_id = registered(api)["run_id"]
    refused(api.delete(f"/runs/{run_id}"), 409, "conflict")
    api.post("/cancel", json={"run_id": run_id})

    assert api.delete(f"/runs/{run_id}").json()["run_id"] == run_id
    refused(api.get(f"/runs/{run_id}"), 404, "not_found")


def test_paths_of_the_executing_machine_stay_there(api: httpx.Client, workspace: Workspace) -> None:
    """What a run keeps of its supervisor is nobody's business, and nobody can make it up."""
    run_id = registered(api, attributes={"mine": 1})["run_id"]
    workspace.parts.registry.supervise(run_id, {"host": "here", "lock": "/somewhere/lock"})

    assert api.get(f"/runs/{run_id}").json()["attributes"] == {"mine": 1}
    refused(api.post("/register", json={"attributes": {SUPERVISOR: {"lock": "/etc/passwd"}}}), 422, "invalid")


@pytest.mark.parametrize("path", ["/runs/99", "/runs/-1", "/runs/99999999999999999999"])
def test_an_unknown_run_is_not_found(empty_api: httpx.Client, path: str) -> None:
    """Also when no run could have that number."""
    refused(empty_api.get(path), 404, "not_found")


@pytest.mark.parametrize("factor", [-0.1, 1, 1.5, "NaN", "1"])
def test_what_could_never_be_admitted_is_another_error(empty_api: httpx.Client, factor: float | str) -> None:
    """Waiting would not help."""
    refused(empty_api.post("/register", json={"location": "lab", "factor": factor}), 422, "never_admissible")
