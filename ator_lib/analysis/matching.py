"""Endpoints that go by another name in the contender: the baseline is given the contender's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from ator_lib.analysis.blocks import rows_by_endpoint
from ator_lib.analysis.options import OF, CompareOptions
from ator_lib.analysis.run_data import COMMON, TOTAL, Endpoint, RunData
from ator_lib.errors import UsageError


def matched(baseline: Sequence[RunData], contender: Sequence[RunData], options: CompareOptions) -> list[RunData]:
    """Return the baseline's runs with their endpoints renamed as ``options.mapping`` says.

    Raises
    ------
    UsageError
        The mapping, or a minimum effect, names an endpoint that is not there; or two endpoints would become one.
    """
    before, after = _by_label(baseline), _by_label(contender)
    _check_known("mapping", options.mapping, before, "baseline")
    _check_known("mapping", options.mapping.values(), after, "contender")
    new = {before[old]: after[name] for old, name in options.mapping.items()}
    renamed = [new.get(endpoint, endpoint) for endpoint in before.values()]
    for endpoint in renamed:
        if renamed.count(endpoint) > 1:
            raise UsageError(f"mapping makes {endpoint.label} of two endpoints: a comparison does not add them up.")
    everywhere = {endpoint.label for endpoint in (*renamed, *after.values(), TOTAL, COMMON)}
    limits = [name.partition(OF)[2] for name in options.minimum_effect if OF in name]
    _check_known("minimum_effect", limits, everywhere, "comparison")
    return [_renamed(run, new) for run in baseline] if new else list(baseline)


def _by_label(runs: Sequence[RunData]) -> dict[str, Endpoint]:
    return {endpoint.label: endpoint for run in runs for endpoint in run.summary_rows() if endpoint != TOTAL}


def _check_known(option: str, labels: Iterable[str], known: Iterable[str], where: str) -> None:
    for label in labels:
        if label not in known:
            names = ", ".join(sorted(known)) or "none"
            raise UsageError(f"{option} names the endpoint {label!r}, which the {where} does not have: it has {names}.")


def _renamed(run: RunData, new: Mapping[Endpoint, Endpoint]) -> RunData:
    return replace(
        run,
        summaries=_with_names(run.summaries, new),
        distributions=_with_names(run.distributions, new),
        timeline=_with_names(run.timeline, new),
        errors=_with_names(run.errors, new),
    )


def _with_names(table: pa.Table, new: Mapping[Endpoint, Endpoint]) -> pa.Table:
    names, methods = table["name"].to_pylist(), table["method"].to_pylist()
    for old, rows in rows_by_endpoint(table).items():
        for row in rows if old in new else ():
            names[row], methods[row] = new[old].name, new[old].method
    columns = {"name": names, "method": methods}
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    return table
