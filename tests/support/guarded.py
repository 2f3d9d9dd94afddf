"""A small application behind the real guard, with real tokens of every kind.

Fixtures (``tests.support.guarded`` is imported where they are used):

- ``tokens``: those of a fresh SQLite database.
- ``secrets``: the text of a token of each role, and of tokens that do not hold.
- ``guarded``: call it with rules, to get the application behind the guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from sqlalchemy import Engine, text
from starlette.types import ASGIApp
from starlette.websockets import WebSocketDisconnect

from ator_lib.model import Role
from ator_lib.registry.tokens import Tokens
from ator_lib.server.access import PRINCIPAL, Principal, authenticators, needs
from ator_lib.server.guard import AccessRules, Guard
from ator_lib.server.login import login_router
from ator_lib.server.problems import add_problem_handlers
from ator_lib.sql.engine import open_engine, upgrade, write

TOKENS_WANTED = AccessRules(requires_token=True)

Guarded = Callable[[AccessRules], ASGIApp]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    """Make a fresh SQLite database."""
    engine = open_engine(tmp_path / "access.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def tokens(database: Engine) -> Tokens:
    """Return the tokens of that database."""
    return Tokens(database)


@pytest.fixture
def secrets(tokens: Tokens, database: Engine) -> dict[str, str]:
    """Make a token of each role, and those that do not hold."""
    known = {role.value: tokens.create(role.value, role)[1] for role in Role}
    known["revoked"] = tokens.create("revoked", "admin")[1]
    tokens.revoke("revoked")
    expired, known["expired"] = tokens.create("expired", "admin", expires_in_s=60)
    with write(database) as connection:
        past = "UPDATE tokens SET expires_at = '2020-01-01 00:00:00.000000' WHERE token_id = :token_id"
        connection.execute(text(past), {"token_id": expired.token_id})
    known["wrong secret"] = known["admin"][:-1] + ("0" if known["admin"][-1] != "0" else "1")
    known["unknown"] = f"ator_{'0' * 16}_{'0' * 64}"
    known["not a token"] = "letmein"
    return known


@pytest.fixture
def guarded(tokens: Tokens) -> Guarded:
    """Return a function that puts the application behind a guard with these rules."""

    def behind(rules: AccessRules) -> ASGIApp:
        return guarded_app(rules, tokens)

    return behind


def guarded_app(rules: AccessRules, tokens: Tokens) -> FastAPI:
    """Make an application that says who asks, takes bodies and echoes over a websocket."""
    app = FastAPI()
    app.add_middleware(
        Guard, rules=rules, authenticators=authenticators(tokens.authenticate, requires_token=rules.requires_token)
    )
    app.include_router(login_router(tokens.authenticate))
    add_problem_handlers(app)

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.get("/run")
    @app.post("/register")
    @app.put("/register")
    @app.patch("/register")
    @app.delete("/register")
    def who(request: Request) -> dict[str, str]:
        principal: Principal = request.scope[PRINCIPAL]
        return {"name": principal.name, "role": principal.role}

    @app.get("/settings")
    @app.post("/settings")
    def settings(principal: Principal = Depends(needs(Role.ADMIN))) -> str:  # noqa: B008 – FastAPI's way
        return principal.name

    @app.post("/measured")
    @app.post("/runs/{run_id}/results")
    async def measured(request: Request) -> int:
        return sum([len(part) async for part in request.stream()])

    @app.post("/read")
    def read(content: dict[str, Any]) -> int:
        return len(content)

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                principal: Principal = websocket.scope[PRINCIPAL]
                await websocket.send_text(f"{principal.name}: {await websocket.receive_text()}")
        except WebSocketDisconnect:
            pass

    return app
