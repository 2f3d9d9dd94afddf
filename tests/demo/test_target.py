from __future__ import annotations

import subprocess
import sys
from statistics import median

import httpx
import pytest
from fastapi.testclient import TestClient

from ator_lib.demo.target import DEFAULT_KNOBS, Behaviour, Knobs, create_target
from tests.support.target import running_target

AT_ONCE = {name: Knobs(latency_ms=0, jitter_ms=0) for name in DEFAULT_KNOBS}


@pytest.fixture
def shop() -> TestClient:
    """Give a shop in this process that answers at once."""
    return TestClient(create_target(AT_ONCE, seed=1))


def delays_ms(behaviour: Behaviour, endpoint: str, count: int = 400) -> list[float]:
    """Draw the latencies of so many requests."""
    return [behaviour.delay_s(endpoint) * 1000 for _ in range(count)]


def test_pages_of_products(shop: TestClient) -> None:
    """A page starts at its offset and is as long as its limit; the last one ends with the catalogue."""
    assert [p["id"] for p in shop.get("/products?limit=3&offset=5").json()] == [6, 7, 8]
    assert [p["id"] for p in shop.get("/products?limit=3&offset=199").json()] == [200]


def test_one_product(shop: TestClient) -> None:
    """A product is found by its id; an id that is not there is 404."""
    assert shop.get("/products/7").json()["id"] == 7
    assert shop.get("/products/201").status_code == 404


def test_search_by_a_part_of_the_name(shop: TestClient) -> None:
    """Search ignores case, and finds nothing but what matches."""
    found = shop.get("/search", params={"q": "MUG"}).json()
    assert found
    assert all("mug" in product["name"] for product in found)
    assert shop.get("/search", params={"q": "aeroplane"}).json() == []


def test_order_adds_up(shop: TestClient) -> None:
    """An order gets an id of its own, and its total is the sum of its lines."""
    prices = {n: shop.get(f"/products/{n}").json()["price"] for n in (3, 4)}
    lines = [{"product_id": 3, "quantity": 2}, {"product_id": 4, "quantity": 1}]
    first, second = (shop.post("/orders", json={"lines": lines}) for _ in range(2))
    assert first.status_code == 201
    assert first.json()["total"] == pytest.approx(2 * prices[3] + prices[4])
    assert second.json()["id"] == first.json()["id"] + 1


@pytest.mark.parametrize("lines", [[], [{"product_id": 0}], [{"product_id": 1, "quantity": 0}]])
def test_impossible_orders_are_refused(shop: TestClient, lines: list[dict[str, int]]) -> None:
    """No lines, no such product and no quantity are 422, and place nothing."""
    assert shop.post("/orders", json={"lines": lines}).status_code == 422
    assert shop.post("/orders", json={"lines": [{"product_id": 1}]}).json()["id"] == 1


def test_openapi_document_has_the_shop_with_examples_and_no_knobs(shop: TestClient) -> None:
    """A load test can be made from the document: examples for every input, and nothing that changes the target."""
    document = shop.get("/openapi.json").json()
    assert set(document["paths"]) == {"/products", "/products/{product_id}", "/search", "/orders"}
    parameters = [p for path in document["paths"].values() for op in path.values() for p in op.get("parameters", [])]
    assert {p["name"] for p in parameters if p["schema"].get("examples")} == {"limit", "offset", "product_id", "q"}
    line = document["components"]["schemas"]["OrderLine"]["properties"]
    assert all(field["examples"] for field in line.values())


def test_error_knob_fails_that_endpoint_only(shop: TestClient) -> None:
    """At 1 every answer of the endpoint is 500, the others still work, and at 0 it works again."""
    assert shop.put("/knobs/search", json={"error_rate": 1}).json()["error_rate"] == 1
    assert {shop.get("/search?q=mug").status_code for _ in range(5)} == {500}
    assert shop.get("/products").status_code == 200
    shop.put("/knobs/search", json={"error_rate": 0})
    assert shop.get("/search?q=mug").status_code == 200


def test_error_knob_is_a_share(shop: TestClient) -> None:
    """At 0.5 some requests fail and some do not."""
    shop.put("/knobs/search", json={"error_rate": 0.5})
    assert {shop.get("/search?q=mug").status_code for _ in range(40)} == {200, 500}


def test_knobs_left_out_stay(shop: TestClient) -> None:
    """Turning one knob leaves the others of the endpoint, and other endpoints, as they were."""
    before = shop.get("/knobs").json()
    shop.put("/knobs/orders", json={"jitter_ms": 9})
    assert shop.get("/knobs").json() == {**before, "orders": {**before["orders"], "jitter_ms": 9}}


@pytest.mark.parametrize(
    ("endpoint", "change", "status"),
    [
        ("nothing", {"latency_ms": 1}, 404),
        ("search", {"latency_ms": -1}, 422),
        ("search", {"error_rate": 1.5}, 422),
        ("search", {"latency": 1}, 422),
    ],
)
def test_wrong_knobs_are_refused(shop: TestClient, endpoint: str, change: dict[str, float], status: int) -> None:
    """An unknown endpoint or knob, or a value out of range, changes nothing."""
    before = shop.get("/knobs").json()
    assert shop.put(f"/knobs/{endpoint}", json=change).status_code == status
    assert shop.get("/knobs").json() == before


def test_latency_is_around_its_knob() -> None:
    """The median of the drawn latencies is the knob's, and there is a tail to the right."""
    drawn = delays_ms(Behaviour({"search": Knobs(latency_ms=20, jitter_ms=5)}, seed=3), "search", 4000)
    assert median(drawn) == pytest.approx(20, rel=0.03)
    assert max(drawn) - 20 > 20 - min(drawn)


def test_same_seed_same_latencies() -> None:
    """A seed fixes what an endpoint draws, whatever the others draw meanwhile; another seed draws otherwise."""
    alone = delays_ms(Behaviour(DEFAULT_KNOBS, seed=3), "search")
    in_company = Behaviour(DEFAULT_KNOBS, seed=3)
    delays_ms(in_company, "orders")
    assert delays_ms(in_company, "search") == alone
    assert delays_ms(Behaviour(DEFAULT_KNOBS, seed=4), "search") != alone


def test_served_as_a_process(target: str) -> None:
    """The module serves the shop on a free port of the loopback address, and says which."""
    assert target.startswith("http://127.0.0.1:")
    assert httpx.get(f"{target}/health").json() == {"status": "ok"}


def test_slow_multiplies_the_latency_of_one_endpoint() -> None:
    """``--slow search=4`` is seen in the knobs of search, and nowhere else."""
    with running_target("--slow", "search=4") as address:
        knobs = httpx.get(f"{address}/knobs").json()
    usual = {name: k.model_dump() for name, k in DEFAULT_KNOBS.items()}
    assert knobs["search"]["latency_ms"] == 4 * usual["search"]["latency_ms"]
    assert {n: k for n, k in knobs.items() if n != "search"} == {n: k for n, k in usual.items() if n != "search"}


def test_a_slowed_endpoint_answers_later() -> None:
    """A request never takes less than its drawn latency, so a latency of 300 ms is felt."""
    with running_target() as address:
        httpx.put(f"{address}/knobs/search", json={"latency_ms": 300, "jitter_ms": 1})
        answer = httpx.get(f"{address}/search?q=mug")
    assert answer.elapsed.total_seconds() > 0.25


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--slow", "nothing=2"], "no endpoint 'nothing'"),
        (["--slow", "search=fast"], "--slow search=fast"),
        (["--slow", "search=-1"], "above 0"),
        (["--port", "99999"], "0-65535"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(arguments: list[str], said: str) -> None:
    """A wrong argument ends with exit code 2 and one sentence that names it."""
    argv = [sys.executable, "-m", "ator_lib.demo.target", *arguments]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_says_so(target: str) -> None:
    """A port that something else listens on is exit code 2, with what to do."""
    argv = [sys.executable, "-m", "ator_lib.demo.target", "--port", target.rpartition(":")[2]]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "choose another --port" in ended.stderr
