import pytest

from ator_lib.analysis.verdicts import Verdict, combine, judge

REGRESSED, IMPROVED, NO_CHANGE, UNCLEAR, NOT_COMPARABLE = Verdict


def _judge(change: float, low: float, high: float, q_value: float, higher_is_better: bool = False) -> Verdict:
    return judge(
        change=change,
        low=low,
        high=high,
        q_value=q_value,
        level=0.02,
        minimum_effect=0.05,
        higher_is_better=higher_is_better,
    )


@pytest.mark.parametrize(
    ("change", "low", "high", "q_value", "expected"),
    [
        (0.30, 0.20, 0.40, 0.001, REGRESSED),
        (-0.30, -0.40, -0.20, 0.001, IMPROVED),
        (0.30, -0.10, 0.80, 0.200, UNCLEAR),  # large but not significant
        (0.03, 0.02, 0.04, 0.001, NO_CHANGE),  # significant but too small to matter
        (0.04, 0.01, 0.07, 0.010, UNCLEAR),  # significant, may or may not matter
        (0.00, -0.02, 0.02, 0.900, NO_CHANGE),
        (0.00, -0.20, 0.20, 0.900, UNCLEAR),  # a wide interval is no proof of sameness
    ],
)
def test_significance_and_meaning_must_agree(change, low, high, q_value, expected):
    """Each of the ways in which statistics and the minimum effect can agree or not."""
    assert _judge(change, low, high, q_value) is expected


def test_the_good_direction_is_the_metrics_own():
    """More throughput is better, more latency is worse."""
    assert _judge(0.3, 0.2, 0.4, 0.001, higher_is_better=True) is IMPROVED
    assert _judge(-0.3, -0.4, -0.2, 0.001, higher_is_better=True) is REGRESSED


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([IMPROVED, REGRESSED, NO_CHANGE], REGRESSED),
        ([NO_CHANGE, IMPROVED, UNCLEAR], IMPROVED),
        ([NO_CHANGE, UNCLEAR], UNCLEAR),
        ([NO_CHANGE, None], NO_CHANGE),
        ([NO_CHANGE, NOT_COMPARABLE], UNCLEAR),
        ([REGRESSED, NOT_COMPARABLE], REGRESSED),
        ([NOT_COMPARABLE, NOT_COMPARABLE], NOT_COMPARABLE),
        ([None], UNCLEAR),
        ([], UNCLEAR),
    ],
)
def test_adding_up(verdicts, expected):
    """A regression is never outweighed, and no change needs everything to say so."""
    assert combine(verdicts) is expected
