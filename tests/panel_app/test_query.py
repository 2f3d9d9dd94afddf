from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import param
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel_app import query


class State(param.Parameterized):
    """A bit of each kind of state that pages have."""

    test = param.String(default="")
    order: param.Selector[str] = param.Selector(default="name", objects=["name", "-name"])
    offset = param.Integer(default=0, bounds=(0, 1000))
    each = param.Boolean(default=False)
    run = param.List(default=[], item_type=int, bounds=(0, 3))
    series = param.List(default=[], item_type=str)
    status = param.ListSelector(default=[], objects=["success", "failure"])


NAMES = ["test", "order", "offset", "each", "run", "series", "status"]
PARAMETERS: Mapping[str, query.Parameter] = State.param.objects("existing")
DEFAULT: dict[str, Any] = {name: PARAMETERS[name].default for name in NAMES}


def read(address: str) -> tuple[dict[str, Any], list[str]]:
    """Read what differs from the default."""
    state, unusable = query.read(PARAMETERS, NAMES, address)
    assert list(state) == NAMES
    return {name: value for name, value in state.items() if value != DEFAULT[name]}, unusable


def test_a_state_as_by_default_is_a_bare_question_mark() -> None:
    """So that the address of a page is short."""
    assert query.written(PARAMETERS, DEFAULT) == "?"


@pytest.mark.parametrize("address", ["", "?", "?nothing=known&utm_source=mail"])
def test_an_address_without_a_state_is_all_default(address: str) -> None:
    """What other names say does not matter."""
    assert read(address) == ({}, [])


def test_a_state_is_written_by_name() -> None:
    """A list is several fields, a Boolean 1."""
    state = DEFAULT | {"test": "GET /a&b=ü", "each": True, "run": [3, 1], "order": "-name"}

    written = query.written(PARAMETERS, state)

    assert written == "?test=GET+%2Fa%26b%3D%C3%BC&order=-name&each=1&run=3&run=1"


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=500)
STATES = st.fixed_dictionaries(
    {
        "test": names,
        "order": st.sampled_from(["name", "-name"]),
        "offset": st.integers(0, 1000),
        "each": st.booleans(),
        "run": st.lists(st.integers(), max_size=3, unique=True),
        "series": st.lists(names.filter(bool), max_size=5, unique=True),
        "status": st.lists(st.sampled_from(["success", "failure"]), max_size=2, unique=True),
    }
)


@given(state=STATES)
def test_what_is_written_is_read_again(state: dict[str, Any]) -> None:
    """Whatever the names are: emoji, HTML, control characters, 500 of them."""
    assert query.read(PARAMETERS, NAMES, query.written(PARAMETERS, state)) == (state, [])


@given(address=st.text(max_size=300))
def test_any_address_can_be_read(address: str) -> None:
    """It comes from anywhere."""
    state, _ = query.read(PARAMETERS, NAMES, address)

    State().param.update(**state)  # takes it


@pytest.mark.parametrize(
    "field",
    [
        "offset=-1",
        "offset=1001",
        "offset=1.5",
        "offset=ten",
        f"offset={'9' * 5000}",
        "order=-p95_ms",
        "run=1&run=two",
        "run=1&run=2&run=3&run=4",
        "status=success&status=great",
    ],
)
def test_what_cannot_be_used_stays_as_by_default_and_is_told(field: str) -> None:
    """The rest of the address is as it says."""
    state, unusable = read(f"?test=checkout&{field}")

    assert state == {"test": "checkout"}
    (sentence,) = unusable
    assert sentence.startswith(f"The address asks for {field.split('=')[0]}=")
    assert len(sentence) < 120


def test_of_one_name_the_last_field_counts_and_a_list_has_each_once() -> None:
    """As with forms whose hidden fields stand before the visible ones."""
    assert read("?test=a&test=b&run=2&run=1&run=2") == ({"test": "b", "run": [2, 1]}, [])


def test_bytes_that_are_no_text_are_replaced() -> None:
    """Nothing fails for them, in either direction."""
    assert read("?test=%ff%fe") == ({"test": "\ufffd\ufffd"}, [])
    assert query.written(PARAMETERS, DEFAULT | {"test": "\ud800"}) == "?test=%3F"


def test_an_address_with_too_many_fields_is_told() -> None:
    """Nobody means a thousand of them."""
    assert read("?" + "&".join(["run=1"] * 1000)) == ({}, ["The address has too many fields."])
