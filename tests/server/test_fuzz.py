"""Every door, asked what its own description allows and what it forbids."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

import ator_lib
from ator_lib.model import RunRequest
from ator_lib.workspace.workspace import Workspace
from tests.support.files import synthetic_csv
from tests.support.served import BLANK, served

LONGEST_URL = 60_000
"""Beyond it the HTTP parser answers by itself, in words of its own."""

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = {"sqlite": 8, "postgres": 3}
"""Requests of each kind, well-formed and not, at each door."""


@dataclass(frozen=True)
class Fuzzed:
    """A server with a few runs and uploads, and the statuses that each door has answered."""

    schema: Any
    session: requests.Session
    leases: list[str]
    uploads: list[str]
    answered: dict[str, set[int]] = field(default_factory=dict)

    def ask(self, case: Any, number: int) -> None:
        """Send one request, mostly about a run that there is, and judge the answer."""
        if number < len(self.leases):
            known = {"run_id": number + 1, "lease_id": self.leases[number], "upload_id": self.uploads[number]}
            _about(case, known)
        if _url_length(case) > LONGEST_URL:
            return
        answer = case.call(session=self.session)
        self.answered.setdefault(case.operation.label, set()).add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)


@pytest.fixture
def fuzzed(database_url: str, tmp_path: Path) -> Iterator[Fuzzed]:
    """Serve a workspace with runs of every kind, on a database of each kind."""
    workspace = ator_lib.connect(tmp_path / "data", database_url=database_url)
    leases = _some_runs(workspace)
    config = schemathesis.Config()
    config.projects.default.generation.with_security_parameters = False  # wrong tokens are the guard's own tests
    logging.disable(logging.WARNING)  # of the HTTP parser
    with served(workspace, BLANK) as server, requests.Session() as session:
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=config)
        content = synthetic_csv(tmp_path / "samples.csv").read_bytes()
        answers = [session.post(f"{server.url}/uploads", data=content).json() for _ in leases]
        yield Fuzzed(schema, session, leases, [answer["upload_id"] for answer in answers])
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")  # Schemathesis has opinions on what it generates
def test_no_request_breaks_a_door(fuzzed: Fuzzed, request: pytest.FixtureRequest) -> None:
    """No 5xx, no undocumented status or kind of content, and each answer fits its description."""
    examples = EXAMPLES[request.node.callspec.params["database_url"]]
    for operation in fuzzed.schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            _fuzz(fuzzed, operation.ok(), mode, examples)

    assert len(fuzzed.answered) == fuzzed.schema.statistic.operations.total
    deep = [label for label, statuses in fuzzed.answered.items() if 200 in statuses]
    assert len(deep) > len(fuzzed.answered) / 2, "most doors were opened, not only knocked at"


def _fuzz(fuzzed: Fuzzed, operation: Any, mode: Any, examples: int) -> None:
    @seed(20261101)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), number=st.integers(0, 2 * len(fuzzed.leases)))
    def ask(case: Any, number: int) -> None:
        fuzzed.ask(case, number)

    try:
        ask()
    except Unsatisfiable:  # nothing can be wrong with a request that has no parts
        assert mode is schemathesis.GenerationMode.NEGATIVE


def _some_runs(workspace: Workspace) -> list[str]:
    """Make runs with and without leases, one that waits and one that has ended; gives their leases, or any text."""
    registry = workspace.parts.registry
    leases = []
    for number in range(6):
        request = RunRequest(
            test="t", stream="s", location=f"lab-{number}", factor=Decimal("0.5"), attributes={"tags": ["x"]}
        )
        leases.append(registry.register(request, lease_s=3600 if number % 2 else None).lease_id)
    waiting = registry.enqueue(RunRequest(location="lab-0", factor=Decimal("0.6")), queue_lease_s=3600)
    registry.complete(3, "success")
    return [lease or "none" for lease in (*leases, waiting.run.lease_id)]


def _about(case: Any, known: dict[str, Any]) -> None:
    """Let a request be about this run or upload, as far as it is about one."""
    for part in (case.path_parameters, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in known.items() if name in part})


def _url_length(case: Any) -> int:
    return len(case.formatted_path) + len(urlencode(case.query or {}, doseq=True, errors="replace"))
