"""The state of a page as the query of an address, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, urlencode

import param

Parameter: TypeAlias = param.Parameter[Any]

_LONGEST = 2000
"""Characters of a value that is read; names may have 500 of four bytes each."""

_MOST_FIELDS = 500


def written(parameters: Mapping[str, Parameter], state: Mapping[str, Any]) -> str:
    """Write a state as ``?name=value&…``; what is as by default is left out, and a bare ``?`` is all default."""
    fields = [
        (name, _text(value))
        for name, values in state.items()
        if values != parameters[name].default
        for value in (values if isinstance(values, list) else [values])
    ]
    return "?" + urlencode(fields, errors="replace")


def read(parameters: Mapping[str, Parameter], names: Sequence[str], query: str) -> tuple[dict[str, Any], list[str]]:
    """Read the state from a query: values of all names, and a sentence for each value that cannot be used."""
    try:
        fields = parse_qs(query.removeprefix("?"), errors="replace", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {name: parameters[name].default for name in names}, ["The address has too many fields."]
    state, unusable = {}, []
    for name in names:
        state[name] = parameters[name].default
        if name in fields:
            try:
                state[name] = _value(parameters[name], fields[name])
            except ValueError:
                unusable.append(
                    f"The address asks for {name}={fields[name][-1][:40]}, which is none, and left out here."
                )
    return state, unusable


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _value(parameter: Parameter, texts: Sequence[str]) -> Any:
    value = _typed(parameter, texts)
    parameter._validate(value)  # a ValueError, as when it is set
    return value


def _typed(parameter: Parameter, texts: Sequence[str]) -> Any:
    last = texts[-1][:_LONGEST]
    if isinstance(parameter, param.ListSelector):
        return list(dict.fromkeys(text[:_LONGEST] for text in texts))
    if isinstance(parameter, param.List):
        kind = cast("type", parameter.item_type or str)
        return list(dict.fromkeys(kind(text[:_LONGEST]) for text in texts))
    if isinstance(parameter, param.Boolean):
        return last == "1"
    if isinstance(parameter, param.Integer):
        return int(last)
    return last
