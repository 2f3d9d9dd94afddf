"""A small real API to put under load: a shop with knobs for latency and errors.

``python -m ator_lib.demo.target --port 0`` serves it on 127.0.0.1 and prints one JSON line,
``{"address": "http://127.0.0.1:…"}``, once it answers. Every request of an endpoint waits for a time
drawn from the endpoint's latency distribution; ``PUT /knobs/search {"latency_ms": 160}`` changes it
while it runs, and ``GET /knobs`` shows the knobs of all endpoints.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field

LOOPBACK = "127.0.0.1"
ADJECTIVES = ("blue", "green", "heavy", "light", "red", "small")
NOUNS = ("bag", "bottle", "chair", "lamp", "mug", "notebook", "pen", "table")
CATALOGUE_SIZE = 200


class Knobs(BaseModel):
    """How one endpoint behaves: median latency, its standard deviation (about), share of answers that are 500."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_ms: float = Field(ge=0, le=60_000)
    jitter_ms: float = Field(ge=0, le=60_000)
    error_rate: float = Field(default=0.0, ge=0, le=1)

    def slower(self, factor: float) -> Knobs:
        """Return the same behaviour with all latencies multiplied."""
        return self.model_copy(update={"latency_ms": self.latency_ms * factor, "jitter_ms": self.jitter_ms * factor})


class KnobChange(BaseModel):
    """The knobs to turn; those left out stay."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: float | None = Field(default=None, ge=0, le=60_000)
    jitter_ms: float | None = Field(default=None, ge=0, le=60_000)
    error_rate: float | None = Field(default=None, ge=0, le=1)


class Product(BaseModel):
    """Something on sale."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["blue mug"])
    price: float = Field(examples=[12.5], description="Price in euros.")


class OrderLine(BaseModel):
    """So many of one product."""

    product_id: int = Field(examples=[7], ge=1, le=CATALOGUE_SIZE)
    quantity: int = Field(default=1, examples=[2], ge=1, le=100)


class OrderRequest(BaseModel):
    """What to order."""

    lines: list[OrderLine] = Field(min_length=1, max_length=20)


class Order(BaseModel):
    """An order that was placed."""

    id: int = Field(examples=[1])
    lines: list[OrderLine]
    total: float = Field(examples=[25.0], description="Price of all lines in euros.")


DEFAULT_KNOBS: Mapping[str, Knobs] = {
    "products": Knobs(latency_ms=120, jitter_ms=20),
    "product": Knobs(latency_ms=90, jitter_ms=15),
    "search": Knobs(latency_ms=200, jitter_ms=35),
    "orders": Knobs(latency_ms=150, jitter_ms=25),
}
"""Long against the few milliseconds that a busy machine adds, so that only a knob makes an endpoint slower."""


class Behaviour:
    """The knobs of all endpoints, and the chance that goes with them.

    Each endpoint draws from a generator of its own, so that with a seed the n-th request of an
    endpoint behaves the same in every run, whatever the others are asked meanwhile.
    """

    def __init__(self, knobs: Mapping[str, Knobs], seed: int | None) -> None:
        self.knobs = dict(knobs)
        names = self.knobs
        self._chance = {name: Random(None if seed is None else f"{seed} {name}") for name in names}  # noqa: S311

    def delay_s(self, endpoint: str) -> float:
        """Draw a latency: lognormal, so that it has the long tail that services have."""
        knobs = self.knobs[endpoint]
        if knobs.latency_ms == 0:
            return 0.0
        sigma = math.sqrt(math.log1p((knobs.jitter_ms / knobs.latency_ms) ** 2))
        return self._chance[endpoint].lognormvariate(math.log(knobs.latency_ms), sigma) / 1000

    def of(self, endpoint: str) -> Callable[[], Awaitable[None]]:
        """Make the dependency that lets an endpoint take its time, and sometimes fail."""

        async def behave() -> None:
            fails = self._chance[endpoint].random() < self.knobs[endpoint].error_rate
            await asyncio.sleep(self.delay_s(endpoint))
            if fails:
                raise HTTPException(500, f"the error knob of {endpoint} is turned up")

        return behave


def create_target(knobs: Mapping[str, Knobs] = DEFAULT_KNOBS, *, seed: int | None = None) -> FastAPI:
    """Make the shop; ``seed`` makes latencies and errors the same in every run."""
    behaviour = Behaviour(knobs, seed)
    app = FastAPI(title="Demo shop", version="1.0.0", description="A small shop to put under load.")
    _add_knobs(app, behaviour)
    _add_shop(app, behaviour)
    return app


def _add_knobs(app: FastAPI, behaviour: Behaviour) -> None:
    # none of them is in the OpenAPI document: a load test made from it must not turn knobs
    @app.get("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/knobs", include_in_schema=False)
    async def get_knobs() -> dict[str, Knobs]:
        return behaviour.knobs

    @app.put("/knobs/{endpoint}", include_in_schema=False)
    async def put_knobs(endpoint: str, change: KnobChange) -> Knobs:
        if endpoint not in behaviour.knobs:
            raise HTTPException(404, f"no endpoint {endpoint!r}: there are {', '.join(behaviour.knobs)}")
        turned = behaviour.knobs[endpoint].model_copy(update=change.model_dump(exclude_none=True))
        behaviour.knobs[endpoint] = turned
        return turned


def _add_shop(app: FastAPI, behaviour: Behaviour) -> None:
    catalogue = _catalogue()
    order_ids = itertools.count(1)

    @app.get("/products", dependencies=[Depends(behaviour.of("products"))])
    async def list_products(
        limit: Annotated[int, Query(ge=1, le=100, examples=[20])] = 20,
        offset: Annotated[int, Query(ge=0, examples=[0])] = 0,
    ) -> list[Product]:
        """List products, a page at a time."""
        return list(catalogue.values())[offset : offset + limit]

    @app.get("/products/{product_id}", dependencies=[Depends(behaviour.of("product"))])
    async def get_product(product_id: Annotated[int, Path(examples=[7])]) -> Product:
        """Show one product."""
        if product_id not in catalogue:
            raise HTTPException(404, f"no product {product_id}: there are 1 to {CATALOGUE_SIZE}")
        return catalogue[product_id]

    @app.get("/search", dependencies=[Depends(behaviour.of("search"))])
    async def search(q: Annotated[str, Query(min_length=1, max_length=100, examples=["mug"])]) -> list[Product]:
        """Find products by a part of their name."""
        return [product for product in catalogue.values() if q.lower() in product.name][:20]

    @app.post("/orders", status_code=201, dependencies=[Depends(behaviour.of("orders"))])
    async def place_order(order: OrderRequest) -> Order:
        """Place an order."""
        total = sum(catalogue[line.product_id].price * line.quantity for line in order.lines)
        return Order(id=next(order_ids), lines=order.lines, total=round(total, 2))


def _catalogue() -> dict[int, Product]:
    return {
        number: Product(
            id=number,
            name=f"{ADJECTIVES[number % len(ADJECTIVES)]} {NOUNS[number % len(NOUNS)]}",
            price=round(2.5 + number * 7 % 90, 2),
        )
        for number in range(1, CATALOGUE_SIZE + 1)
    }


class _Server(uvicorn.Server):
    """Says where it listens once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or ():
            sys.stdout.write(json.dumps({"address": f"http://{LOOPBACK}:{sock.getsockname()[1]}"}) + "\n")
            sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Serve the shop until interrupted."""
    parser = argparse.ArgumentParser("python -m ator_lib.demo.target", description="A small shop to put under load.")
    parser.add_argument("--port", type=int, default=8010, help="port on 127.0.0.1; 0 chooses a free one")
    parser.add_argument("--seed", type=int, help="makes latencies and errors the same in every run")
    slow_help = f"multiply an endpoint's latency, e.g. search=1.6; repeatable; endpoints: {', '.join(DEFAULT_KNOBS)}"
    parser.add_argument("--slow", action="append", default=[], metavar="ENDPOINT=FACTOR", help=slow_help)
    options = parser.parse_args(arguments)
    try:
        app = create_target(_slowed(options.slow), seed=options.seed)
        listener = socket.create_server((LOOPBACK, options.port))
    except (ValueError, OverflowError) as error:
        parser.error(str(error))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        parser.error(f"cannot listen on {LOOPBACK}:{options.port} ({why}): choose another --port")
    server = _Server(uvicorn.Config(app, log_level="warning", access_log=False))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn hands a Ctrl-C on after it has shut down
        server.run(sockets=[listener])


def _slowed(changes: list[str]) -> dict[str, Knobs]:
    knobs = dict(DEFAULT_KNOBS)
    for change in changes:
        endpoint, _, factor = change.partition("=")
        if endpoint not in knobs:
            raise ValueError(f"--slow {change}: no endpoint {endpoint!r}, there are {', '.join(knobs)}")
        try:
            knobs[endpoint] = knobs[endpoint].slower(_factor(factor))
        except ValueError as error:
            raise ValueError(f"--slow {change}: {error}") from None
    return knobs


def _factor(text: str) -> float:
    factor = float(text or "nan")
    if not 0 < factor < 1000:
        raise ValueError("the factor must be a number above 0 and below 1000")
    return factor


if __name__ == "__main__":
    main()
