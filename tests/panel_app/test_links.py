from __future__ import annotations

from panel_app.links import address, compare_link, run_link


def test_what_is_empty_is_left_out() -> None:
    """An address says what differs from the default; 0 is a value."""
    assert address("/runs") == "/runs"
    assert address("/runs", test="", stream=None, status=[], offset=0) == "/runs?offset=0"


def test_a_list_is_several_fields() -> None:
    """As a form would send them."""
    assert compare_link([4, 3], (1, 2)) == "/compare?run=4&run=3&baseline=1&baseline=2"
    assert compare_link([4]) == "/compare?run=4"


def test_names_are_quoted() -> None:
    """Whatever stands in them."""
    assert address("/trends", test="a&b=<ü>") == "/trends?test=a%26b%3D%3C%C3%BC%3E"
    assert address("/trends", test="\ud800") == "/trends?test=%3F"
    assert run_link(7) == "/run?run_id=7"
