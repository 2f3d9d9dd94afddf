"""JSON of strangers: whole documents within bounds, and long arrays an item at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ijson

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of a document that is read as a whole; summaries are far smaller."""


def load(source: Source) -> Any:
    """Read a whole document.

    Raises
    ------
    ResultsError
        It is empty, no JSON, or too large for a summary; the message names the place.
    """
    size = source.path.stat().st_size
    if size > LARGEST_DOCUMENT:
        raise ResultsError(f"{source.name} has {size} bytes, more than a document of {LARGEST_DOCUMENT} can have.")
    try:
        return json.loads(source.path.read_bytes())
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ResultsError(f"{source.name} is no whole JSON document: {error.msg} ({place}).") from error
    except (UnicodeDecodeError, ValueError) as error:  # also a number of more digits than Python takes
        raise ResultsError(f"{source.name} is no JSON document: {str(error)[:200]}.") from error
    except RecursionError as error:
        raise ResultsError(f"{source.name} is nested too deeply for a result of a tool.") from error


def load_object(source: Source) -> dict[str, Any]:
    """Read a whole document that is an object.

    Raises
    ------
    ResultsError
        As ``load``, or it is no object.
    """
    document = load(source)
    if not isinstance(document, dict):
        raise ResultsError(f"{source.name} is no JSON object, and the results of a tool are one.")
    return document


def items(source: Source, path: str, findings: Findings) -> Iterator[Any]:
    """Yield the items of an array in a document of any size, ``path`` as ijson writes it: ``run.executions.item``.

    When the document is cut short, the whole items count, and ``findings`` say so.

    Raises
    ------
    ResultsError
        It is no JSON at that place.
    """
    with source.path.open("rb") as file:
        try:
            yield from ijson.items(file, path, use_float=True)
        except ijson.IncompleteJSONError:
            findings.truncated = True
        except (ijson.JSONError, ValueError, RecursionError) as error:
            raise ResultsError(f"{source.name} is no JSON document: {str(error)[:200]}.") from error
