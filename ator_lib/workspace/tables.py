"""Small collections of a workspace, shown as DataFrames."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from ator_lib.model import Baseline, LocationStatus, LocationUse, Role, Token
from ator_lib.registry.either import AnyBaselines, AnyLocations
from ator_lib.registry.tokens import Tokens
from ator_lib.workspace.frames import baselines_frame, locations_frame, tokens_frame
from ator_lib.workspace.handle import BaseHandle, id_of


class LocationTable:
    """The places that tests share. Shows itself in a notebook."""

    def __init__(self, locations: AnyLocations) -> None:
        self._locations = locations

    def list(self) -> pd.DataFrame:
        """List name, status, capacity, taken, free (Decimals), how many run and wait, and the description."""
        return locations_frame(self._locations.list())

    def get(self, name: str) -> LocationUse:
        """One location; NotFoundError if there is none of that name."""
        return self._locations.get(name)

    def add(
        self,
        name: str,
        *,
        capacity: str | float | Decimal = 1,
        description: str | None = None,
        status: LocationStatus | str = LocationStatus.ONLINE,
    ) -> LocationUse:
        """Add a location; ConflictError if there is one of that name.

        Parameters
        ----------
        capacity
            The sum of the factors that run there stays below it.
        status
            ``online``; ``draining``: who waits may still start, nobody new comes in; ``offline``: nobody starts.
        """
        return self._locations.add(name, capacity=capacity, description=description, status=status)

    def change(
        self,
        name: str,
        *,
        capacity: str | float | Decimal | None = None,
        description: str | None = None,
        status: LocationStatus | str | None = None,
    ) -> LocationUse:
        """Change what is given. What runs goes on in any case, also when it is more than the new capacity."""
        return self._locations.change(name, capacity=capacity, description=description, status=status)

    def _repr_html_(self) -> str:
        return self.list().to_html(index=False)


class BaselineTable:
    """Runs that others are compared with, by name. Shows itself in a notebook."""

    def __init__(self, baselines: AnyBaselines) -> None:
        self._baselines = baselines

    def list(self) -> pd.DataFrame:
        """List name, run_id and when it was pinned."""
        return baselines_frame(self._baselines.list())

    def get(self, name: str) -> Baseline:
        """One baseline; NotFoundError if there is none of that name."""
        return self._baselines.get(name)

    def pin(self, name: str, run: int | BaseHandle) -> Baseline:
        """Give a run that name; a run that has it until now loses it."""
        return self._baselines.pin(name, id_of(run))

    def remove(self, name: str) -> Baseline:
        """Unpin a name; the run stays."""
        return self._baselines.remove(name)

    def _repr_html_(self) -> str:
        return self.list().to_html(index=False)


class TokenTable:
    """Who may use a server, and as what. Shows itself in a notebook, without any secret."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def list(self) -> pd.DataFrame:
        """List token_id, name, role, and when it was made, expires, was last used and revoked."""
        return tokens_frame(self._tokens.list())

    def create(self, name: str, role: Role | str, *, expires_in_s: float | None = None) -> tuple[Token, str]:
        """Make a token. Its text is given here and never again."""
        return self._tokens.create(name, role, expires_in_s=expires_in_s)

    def revoke(self, token: str) -> Token:
        """Make a token useless from now on, by its id or name."""
        return self._tokens.revoke(token)

    def _repr_html_(self) -> str:
        return self.list().to_html(index=False)
