import pytest

from ator_lib.analysis.comparison import CompareOptions, Verdict, compare
from ator_lib.analysis.run_data import Endpoint
from ator_lib.errors import UsageError
from tests.analysis.synthetic import Truth, made_run

OLD = {"/v1/a": Truth(median_ms=20), "/b": Truth(median_ms=60)}
NEW = {"/v2/a": Truth(median_ms=20), "/b": Truth(median_ms=60)}


def _compared(**options):
    return compare([made_run(NEW, seed=2)], [made_run(OLD, seed=1)], CompareOptions(replicates=200, **options))


def test_an_endpoint_that_was_renamed_is_compared_with_itself():
    """The mapping holds for the figures, the noise and the checks; rows have the contender's names."""
    result = _compared(mapping={"GET /v1/a": "GET /v2/a"})
    assert [endpoint.endpoint.label for endpoint in result.endpoints] == ["total", "GET /b", "GET /v2/a"]
    row = next(row for row in result.rows if (row.name, row.metric) == ("/v2/a", "p95_ms"))
    assert row.low is not None
    assert next(check for check in result.checks if check.name == "endpoints").ok
    assert result.to_dict()["options"]["mapping"] == {"GET /v1/a": "GET /v2/a"}


def test_without_a_mapping_they_are_two():
    """Names decide."""
    verdicts = {endpoint.name: endpoint.verdict for endpoint in _compared().endpoints}
    assert verdicts["/v1/a"] is verdicts["/v2/a"] is Verdict.NOT_COMPARABLE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mapping": {"GET /v3/a": "GET /v2/a"}}, "'GET /v3/a', which the baseline does not have: .*GET /v1/a"),
        ({"mapping": {"GET /v1/a": "/v2/a"}}, "'/v2/a', which the contender does not have: .*GET /v2/a"),
        ({"mapping": {"GET /v1/a": "GET /b"}}, "mapping makes GET /b of two endpoints"),
        ({"minimum_effect": {"p95_ms of GET /nope": 0.1}}, "minimum_effect names the endpoint 'GET /nope'"),
    ],
)
def test_endpoints_that_do_not_exist_are_named(options, message):
    """A typing error is no silent mismatch."""
    with pytest.raises(UsageError, match=message):
        _compared(**options)


def test_two_endpoints_may_swap_their_names():
    """Every name is still there once."""
    swapped = {"GET /v1/a": "GET /b", "GET /b": "GET /v2/a"}
    result = _compared(mapping=swapped)
    points = {row.name: row.baseline for row in result.rows if row.metric == "p50_ms" and row.scope == "name"}
    assert points["/b"] < points["/v2/a"]
    assert Endpoint("/v1/a", "GET") not in [endpoint.endpoint for endpoint in result.endpoints]
