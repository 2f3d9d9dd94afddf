import math

import pytest

from ator_lib.analysis.student import critical_value, two_sided_p


@pytest.mark.parametrize(
    ("confidence", "df", "expected"),
    [(0.95, 1, 12.706), (0.95, 4, 2.776), (0.99, 10, 3.169), (0.999, 14, 4.140), (0.95, 120, 1.980)],
)
def test_critical_values_are_those_of_the_printed_table(confidence, df, expected):
    """The quantiles agree with any statistics book's t table."""
    assert critical_value(confidence, df) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("t", [0.1, 1.0, 3.0, 50.0])
def test_one_degree_of_freedom_is_the_cauchy_distribution(t):
    """With one degree of freedom there is a closed form, in both tails of the continued fraction."""
    assert two_sided_p(t, 1) == pytest.approx(1 - 2 * math.atan(t) / math.pi, rel=1e-10)


def test_extremes():
    """No change has p = 1, the sign does not matter, and a huge t has a tiny p instead of an overflow."""
    assert two_sided_p(0, 10) == 1
    assert two_sided_p(-2.5, 7) == two_sided_p(2.5, 7)
    assert 0 <= two_sided_p(1e9, 10) < 1e-50
