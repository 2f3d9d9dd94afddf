from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ator_lib.errors import FactorError, NeverAdmissibleError
from ator_lib.model import Holder
from ator_lib.registry.admission import check_admissible, decide, parse_factor

ONE = Decimal(1)
FACTORS = st.decimals(min_value=0, max_value=1, places=18)


def held(*factors: str) -> list[Holder]:
    """Make holders of these factors."""
    return [Holder(run_id=n, test="t", factor=Decimal(factor)) for n, factor in enumerate(factors, 1)]


@pytest.mark.parametrize(
    ("value", "factor"),
    [("0.4", "0.4"), (" 0.4\n", "0.4"), (0.1, "0.1"), (0, "0"), (2, "2"), (Decimal("0.30"), "0.30"), ("1e-3", "0.001")],
)
def test_factors_are_read_by_their_decimal_text(value: str | float | Decimal, factor: str) -> None:
    """A float is what it is printed as, and not its binary neighbour."""
    assert parse_factor(value) == Decimal(factor)


def test_no_factor_stays_none() -> None:
    """Whether none was given is kept; it counts as 0 elsewhere."""
    assert parse_factor(None) is None


def test_numpy_floats_are_floats() -> None:
    """A factor from a notebook's table is read like any other."""
    numpy = pytest.importorskip("numpy")
    assert parse_factor(numpy.float64(0.1)) == Decimal("0.1")


@pytest.mark.parametrize("zero", ["-0", "0.00", "-0E+9", -0.0, "0e-99"])
def test_every_zero_is_the_same(zero: str | float) -> None:
    """Minus zero is not below zero."""
    assert str(parse_factor(zero)) == "0"


@pytest.mark.parametrize("value", ["abc", "", "0,4", "0_4", "１", "1/2", True, "0.4%", [0.4]])
def test_what_is_no_number_is_refused(value: str) -> None:
    """The message has the value and an example."""
    with pytest.raises(FactorError, match=r"is not a number; give a decimal such as 0\.4"):
        parse_factor(value)


def test_more_digits_than_are_summed_exactly_are_refused() -> None:
    """Sums stay exact because no factor has more than 18 decimal places."""
    assert parse_factor("0.000000000000000001") == Decimal("1e-18")
    for value in ("0.0000000000000000001", "1e-999999"):
        with pytest.raises(FactorError, match="more than 18 decimal places"):
            parse_factor(value)


@pytest.mark.parametrize("value", ["1", "1.5", "-0.1", "NaN", "sNaN", "inf", "-inf", "1e500"])
def test_a_factor_that_no_free_location_takes(value: str) -> None:
    """The message names the factor, the place, the limit and what to do."""
    factor = parse_factor(value)
    with pytest.raises(NeverAdmissibleError) as caught:
        check_admissible(factor, ONE, "lab-1")
    for words in (str(factor), "'lab-1'", "below the capacity of 1", "Give a smaller factor"):
        assert words in str(caught.value)


def test_a_factor_below_the_capacity_is_admissible() -> None:
    """The capacity of the location counts, not 1."""
    check_admissible(Decimal("0.999"), ONE, "lab-1")
    check_admissible(None, ONE, "lab-1")
    check_admissible(Decimal(3), Decimal(4), "lab-1")
    with pytest.raises(NeverAdmissibleError):
        check_admissible(Decimal("0.5"), Decimal("0.5"), "lab-1")
    with pytest.raises(NeverAdmissibleError):
        check_admissible(None, Decimal(0), "closed")


def test_ten_times_a_tenth_is_one_and_refused() -> None:
    """The binary sum would be 0.9999999999999999 and admit the tenth."""
    factor = parse_factor(0.1)
    assert factor is not None
    refusal = decide(factor, held(*["0.1"] * 9, "0"), ONE, "lab-1")
    assert refusal is not None
    assert (refusal.taken, refusal.requested, refusal.limit) == (Decimal("0.9"), Decimal("0.1"), ONE)
    assert len(refusal.holders) == 9  # who takes nothing stands in nobody's way
    assert decide(Decimal("0.0999"), held(*["0.1"] * 9), ONE, "lab-1") is None


def test_even_nothing_is_refused_at_a_full_location() -> None:
    """Strictly less: where the sum has come to the capacity, a factor of 0 is too much."""
    assert decide(Decimal(0), held("0.5", "0.4"), ONE, "lab-1") is None
    assert decide(Decimal(0), held("0.5", "0.5"), ONE, "lab-1") is not None


@given(st.lists(FACTORS, max_size=20), FACTORS)
def test_admitted_exactly_when_the_sum_is_below(taken: list[Decimal], request: Decimal) -> None:
    """For any factors the decision is that of integer arithmetic."""
    scale = 10**18
    total = sum(int(factor * scale) for factor in taken) + int(request * scale)
    refusal = decide(request, held(*map(str, taken)), ONE, "lab-1")
    assert (refusal is None) == (total < scale)
