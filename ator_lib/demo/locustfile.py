"""The load of the demo: customers of the bundled shop, who look more often than they buy.

Loaded by Locust's own process only.
"""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

PRODUCTS = 200
WORDS = ("bag", "blue", "chair", "lamp", "mug", "pen")


class Customer(FastHttpUser):
    """Browses, searches, and sometimes orders, with a short pause in between."""

    wait_time = between(0.05, 0.15)

    @task(3)
    def list_products(self) -> None:
        """Look at a page of products."""
        self.client.get("/products?limit=20", name="/products")

    @task(4)
    def show_product(self) -> None:
        """Look at one product; all of them count as one endpoint."""
        self.client.get(f"/products/{random.randint(1, PRODUCTS)}", name="/products/{id}")  # noqa: S311

    @task(3)
    def search(self) -> None:
        """Search for a word."""
        self.client.get(f"/search?q={random.choice(WORDS)}", name="/search")  # noqa: S311

    @task(2)
    def order(self) -> None:
        """Order a product or two."""
        line = {"product_id": random.randint(1, PRODUCTS), "quantity": random.randint(1, 2)}  # noqa: S311
        self.client.post("/orders", json={"lines": [line]})
