"""Who asks, and what they may do.

An *authenticator* looks at a request and says who it comes from. The guard asks them in turn;
another way to log in (OIDC) joins as one more of them, before the tokens in headers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from ator_lib.errors import AccessError
from ator_lib.model import Role, Token

PRINCIPAL = "ator.principal"
"""Key of the ASGI scope under which the guard leaves the ``Principal``."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks: the name of the token, and its role.

    ``has_logged_in``: the token came by the login page's cookie, so that there is something to log out of.
    """

    name: str
    role: Role
    has_logged_in: bool = False

    @property
    def token_name(self) -> str | None:
        """The name of the token; ``None`` for whoever came to an open server without one."""
        return None if self is LOCAL else self.name

    def why_not(self, needed: Role) -> str | None:
        """Say why this role does not do, or ``None`` if it does."""
        if self.role.covers(needed):
            return None
        return (
            f"this needs the role {needed}, and {self.name!r} has the role {self.role}. Use a token that may: "
            f"ator token create NAME --role {needed}"
        )


LOCAL = Principal(name="local", role=Role.ADMIN)
"""Everybody on a loopback server that asks for no tokens, without a proxy in between."""

_OF_PROXIES = ("Forwarded", "X-Forwarded-For")

TokenCheck: TypeAlias = Callable[[str], Token | None]
"""``Tokens.authenticate``. It asks the database, so it is never called on the event loop."""

Authenticator: TypeAlias = Callable[[HTTPConnection], Awaitable[Principal | None]]
"""Gives who asks, or ``None`` when the request shows nothing that it could tell by.

Raises ``AccessError`` when what the request shows does not hold: it is then refused, and nobody
is asked any more. A wrong token never becomes "no token", not even where none is needed.
"""


def authenticators(check: TokenCheck, *, requires_token: bool) -> list[Authenticator]:
    """Give the ways in, in the order in which they are asked."""
    by_token = [by_header(check), by_cookie(check)]
    return by_token if requires_token else [*by_token, everybody]


def by_header(check: TokenCheck) -> Authenticator:
    """Take a token from ``Authorization: Bearer …`` or ``X-API-Key``."""

    async def authenticate(connection: HTTPConnection) -> Principal | None:
        shown = _shown_token(connection.headers)
        if shown is None:
            return None
        principal = await principal_of(check, shown)
        if principal is None:
            raise AccessError("the token is wrong, has expired or was revoked; see: ator token list")
        return principal

    return authenticate


def by_cookie(check: TokenCheck) -> Authenticator:
    """Take a token from the cookie that the login page sets.

    Browsers send it unasked, also long after it was revoked, so one that does not hold counts as none.
    """

    async def authenticate(connection: HTTPConnection) -> Principal | None:
        kept = connection.cookies.get(cookie_name(connection))
        principal = None if kept is None else await principal_of(check, kept)
        return None if principal is None else replace(principal, has_logged_in=True)

    return authenticate


async def everybody(connection: HTTPConnection) -> Principal:
    """Let everybody in who reaches a loopback server, but for those whom a proxy brings: they may be anybody."""
    if any(header in connection.headers for header in _OF_PROXIES):
        raise AccessError(
            "this request comes through a proxy, and through one a token is always needed: "
            "send it as 'Authorization: Bearer …' or 'X-API-Key', or log in at /login"
        )
    return LOCAL


async def principal_of(check: TokenCheck, text: str) -> Principal | None:
    """Give whose token this is, or ``None`` if it does not hold."""
    token = await run_in_threadpool(check, text)
    return None if token is None else Principal(name=token.name, role=token.role)


def cookie_name(connection: HTTPConnection) -> str:
    """Name the cookie by the port: cookies do not know ports, and several servers may run on one machine."""
    _, _, port = connection.headers.get("host", "").rpartition(":")
    return f"ator_token_{port}" if port.isdecimal() else "ator_token"


def needs(role: Role) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """Make a FastAPI dependency that gives the principal, if it has this role.

    Raises
    ------
    AccessError
        It has not, or no guard has let the request in.
    """

    async def principal_with_role(connection: HTTPConnection) -> Principal:
        principal: Principal | None = connection.scope.get(PRINCIPAL)
        why_not = "nobody has logged in" if principal is None else principal.why_not(role)
        if principal is None or why_not is not None:
            raise AccessError(why_not)
        return principal

    return principal_with_role


def _shown_token(headers: Headers) -> str | None:
    """Find the one token in the headers; another scheme, such as Basic for a proxy, is none of ours."""
    authorizations = headers.getlist("authorization")
    schemes = [authorization.partition(" ") for authorization in authorizations]
    shown = [token.strip() for scheme, _, token in schemes if scheme.lower() == "bearer"]
    shown += headers.getlist("x-api-key")
    if len(authorizations) > 1 or len(shown) > 1:  # whoever stands in between may have judged by the other one
        raise AccessError("the request shows more than one token; send one")
    return shown[0] if shown else None
