"""Errors as the codes of the REST API, and back: one table for the server and for its clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ator_lib.errors import (
    AccessError,
    AtorError,
    CapacityError,
    ConflictError,
    LeaseLostError,
    NeverAdmissibleError,
    NotFoundError,
    ResultsError,
    RunCancelledError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from ator_lib.registry.wire import refusal_from_json

PROBLEMS: dict[type[AtorError], tuple[int, str]] = {
    CapacityError: (409, "no_capacity"),
    NeverAdmissibleError: (422, "never_admissible"),
    NotFoundError: (404, "not_found"),
    LeaseLostError: (409, "lease_lost"),
    RunCancelledError: (409, "cancelled"),
    ConflictError: (409, "conflict"),
    AccessError: (403, "forbidden"),
    UsageError: (422, "invalid"),
    ResultsError: (422, "unreadable_results"),
    StoreUnavailableError: (503, "store_unavailable"),
    AtorError: (500, "internal"),
}
"""Class of error → status and code; a class that is not here has those of its nearest base."""

_KINDS: dict[str, type[AtorError]] = {
    **{code: kind for kind, (_, code) in PROBLEMS.items()},
    "unauthenticated": AccessError,
    "too_large": UsageError,
    "internal": StoreError,  # of the server only what it keeps is known here
}


def error_from_json(document: Mapping[str, Any]) -> AtorError:
    """Read an answer of the one shape, ``{"error": code, "message": sentence, …details}``.

    Returns
    -------
    AtorError
        Of the class that was raised behind the server; a ``StoreError`` for a code that is not known.
    """
    kind = _KINDS.get(str(document.get("error")), StoreError)
    return CapacityError(refusal_from_json(document)) if kind is CapacityError else kind(str(document.get("message")))
