"""Whom a page is made for."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from ator_lib.model import Role
from ator_lib.server.access import Principal

_asking: ContextVar[Principal] = ContextVar("ator_principal")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who looks at a page, so that it offers what this role may do; the doors behind it judge by themselves.

    Attributes
    ----------
    name
        Of the token; ``None`` for whoever reaches an open server on loopback without one.
    role
        What the visitor may do.
    can_log_out
        Whether the visitor came through the login page.
    """

    name: str | None
    role: Role
    can_log_out: bool

    def may(self, role: Role | str) -> bool:
        """Whether the visitor may do what takes this role."""
        return self.role.covers(Role(role))

    @property
    def may_run(self) -> bool:
        """Whether the visitor may change runs: cancel, pin, upload."""
        return self.may(Role.RUNNER)

    @property
    def may_admin(self) -> bool:
        """Whether the visitor may change locations and delete runs."""
        return self.may(Role.ADMIN)


def remember(principal: Principal) -> None:
    """Keep who asks for the rest of this request or websocket: Bokeh hands no ASGI scope to what makes a page."""
    _asking.set(principal)


def visitor() -> Visitor:
    """Give whom the page is for that is being made.

    Raises
    ------
    LookupError
        No guard has let anybody in: there is nobody to make it for.
    """
    principal = _asking.get()
    return Visitor(name=principal.token_name, role=principal.role, can_log_out=principal.has_logged_in)
