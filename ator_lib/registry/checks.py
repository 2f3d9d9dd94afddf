"""What callers may say, and the words for what they may not."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Mapping
from typing import Any

from ator_lib.errors import AtorError, ConflictError, LeaseLostError, NotFoundError, UsageError
from ator_lib.model import SUPERVISOR, TAGS, Run, RunRequest, RunStatus

OUTCOMES = (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED)
"""The statuses that a caller may complete a run with."""

FINAL = tuple(status for status in RunStatus if status.is_final)

MOST_RUN_ID = 2**31 - 1
"""What the column can hold: a number outside is no run, and not a driver's error."""

HIGHEST_PRIORITY = 10**9

LONGEST_LEASE_S = 366 * 24 * 3600

LONGEST_TEXT = 10_000
LONGEST_NAME = 500
"""What names a run (test, stream, location …) is searched by index, whose entries have up to 2,704 bytes."""
LONGEST_TAG = 200
LONGEST_ATTRIBUTES = 100_000
"""Characters of JSON: lists of runs load them."""
_DEEPEST_ATTRIBUTES = 50
"""Who reads them back may have less stack left than who wrote them."""

TEXT_FIELDS = frozenset(
    {"repo", "lac", "stream", "test", "type", "environment", "triggered_by", "dashboard_url", "location", "tool"}
)
"""The fields of a request that take any text."""


def checked_id(run_id: int, what: str = "run") -> int:
    """Return the id of a run, or of something else, as a plain number.

    It may be any kind of whole number, such as NumPy's, from a DataFrame.

    Raises
    ------
    NotFoundError
        Nothing could have it.
    UsageError
        It is no whole number.
    """
    try:
        number = operator.index(run_id)
    except TypeError:
        raise UsageError(f"a {what} id is a whole number, not {run_id!r}") from None
    if abs(number) > MOST_RUN_ID:
        raise not_found(number, what)
    return number


def checked_lease(lease_s: float) -> float:
    """Return a lease in seconds.

    Raises
    ------
    UsageError
        It is not above 0, or longer than a year.
    """
    if not 0 < lease_s <= LONGEST_LEASE_S:
        raise UsageError(f"a lease of {lease_s} s is not possible; give seconds above 0 and up to a year")
    return float(lease_s)


def checked_status(status: RunStatus | str, words: tuple[RunStatus, ...] = tuple(RunStatus)) -> RunStatus:
    """Return the status of that name.

    Raises
    ------
    UsageError
        It is not one of ``words``, which the message lists.
    """
    if status not in words:
        raise UsageError(f"unknown status {str(status)!r}; give one of {', '.join(words)}")
    return RunStatus(status)


def checked_priority(priority: int | None) -> int | None:
    """Return a priority that the column can hold.

    Raises
    ------
    UsageError
        It is no whole number, or beyond a thousand millions.
    """
    if priority is None or (type(priority) is int and abs(priority) <= HIGHEST_PRIORITY):
        return priority
    raise UsageError(f"a priority is a whole number (0 counts as none, higher goes first), not {priority!r}")


def checked_text(name: str, text: str | None, *, longest: int = LONGEST_TEXT) -> str | None:
    """Return a text that both databases keep as it is.

    Raises
    ------
    UsageError
        It is no text, too long, or holds a NUL or half a character.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise UsageError(f"{name} of a run must be text, not {type(text).__name__}")
    if len(text) > longest:
        raise UsageError(f"{name} has {len(text):,} characters: at most {longest:,} are kept")
    if not _can_be_kept(text):
        raise UsageError(f"{name} holds a NUL or half a character (a lone surrogate): give valid text")
    return text


def _can_be_kept(text: str) -> bool:
    """Whether PostgreSQL takes it: no NUL, and characters that UTF-8 has. SQLite would keep more."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def checked_name(what: str, name: str) -> str:
    """Return the name of a location, a baseline … as it can stand in an address, too.

    Raises
    ------
    UsageError
        It is empty, too long, a mere ``.`` or ``..``, has blanks around it, or characters that nobody sees:
        two names that look alike would be two places.
    """
    checked_text(f"the name of {what}", name, longest=LONGEST_NAME)
    if not name or name != name.strip() or not name.isprintable():
        raise UsageError(
            f"{name!r} cannot be the name of {what}: give characters that can be printed, and no blanks around them"
        )
    if name in (".", ".."):
        raise UsageError(f"{name!r} cannot be the name of {what}: in an address it means a folder")
    return name


def check_texts(request: RunRequest) -> None:
    """Check every text of a request.

    Raises
    ------
    UsageError
        One of them cannot be kept; the message names it.
    """
    for name in TEXT_FIELDS:
        checked_text(name, getattr(request, name), longest=LONGEST_TEXT if name == "dashboard_url" else LONGEST_NAME)


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Return tags in order, each once.

    Raises
    ------
    UsageError
        One of them is no text, empty, or too long.
    """
    if isinstance(tags, str):
        raise UsageError(f"tags are a list of texts: write [{tags!r}]")
    kept = sorted({str(checked_text("a tag", tag)) for tag in tags})
    if any(not tag.strip() or len(tag) > LONGEST_TAG for tag in kept):
        raise UsageError(f"a tag has 1 to {LONGEST_TAG} characters")
    return kept


def checked_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as they will be read back: JSON has lists for tuples and text for keys.

    Raises
    ------
    UsageError
        They are no JSON, too many, or one has a name of ATOR's own.
    """
    if not isinstance(attributes, Mapping):
        raise UsageError("attributes of a run must be a mapping of names to values")
    if SUPERVISOR in attributes:
        raise UsageError(f"the attribute {SUPERVISOR!r} is ATOR's own: choose another name")
    try:
        text = json.dumps(dict(attributes), allow_nan=False, ensure_ascii=False)
        kept: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the attributes cannot be kept: {error}; give values that JSON has") from None
    check_size(text)
    if _is_deeper(kept, _DEEPEST_ATTRIBUTES):
        raise UsageError(f"the attributes are nested more than {_DEEPEST_ATTRIBUTES} times: flatten them")
    if "\\u0000" in text.replace("\\\\", "") or not _can_be_kept(text):
        raise UsageError("the attributes hold a NUL or half a character (a lone surrogate): give valid text")
    if TAGS in kept:
        kept[TAGS] = checked_tags(kept[TAGS] if isinstance(kept[TAGS], list) else str(kept[TAGS]))
    return kept


def check_size(attributes: str) -> None:
    """Check how long attributes are as JSON.

    Raises
    ------
    UsageError
        They are too long to be loaded with every list of runs.
    """
    if len(attributes) > LONGEST_ATTRIBUTES:
        raise UsageError(
            f"the attributes have {len(attributes):,} characters of JSON: at most {LONGEST_ATTRIBUTES:,} are kept"
        )


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def not_found(run_id: int, what: str = "run") -> NotFoundError:
    """Say that there is no such run, or what else has an id."""
    hint = "; the history lists the run ids" if what == "run" else ""
    return NotFoundError(f"there is no {what} {run_id}{hint}")


def why_not_completed(run: Run, lease_id: str | None) -> AtorError:
    """Say why a run was not completed by a caller that showed this lease."""
    if lease_id is not None:
        return lease_lost(run)
    if run.status.is_final:
        return ConflictError(f"run {run.run_id} ended as {run.status} already; a final status never changes")
    if run.status is RunStatus.QUEUED:
        return ConflictError(f"run {run.run_id} is queued and has not started; cancel it")
    return ConflictError(f"run {run.run_id} is being executed; cancel it, and its executor completes it")


def lease_lost(run: Run) -> LeaseLostError:
    """Say that the lease that was shown does not hold."""
    state = f"it ended as {run.status}" if run.status.is_final else "the lease is over or not the run's"
    return LeaseLostError(f"the lease shown for run {run.run_id} does not hold: {state}. Its tool must be stopped.")
