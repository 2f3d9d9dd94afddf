"""The gate file: YAML read safely, and errors that say where in it they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from ator_lib.analysis.gates.model import WITHOUT, GateSpec, Strict
from ator_lib.analysis.options import CompareOptions
from ator_lib.analysis.wording import near
from ator_lib.errors import UsageError

LARGEST = 100_000
"""Characters of a gate file."""

MOST_PROBLEMS = 20
"""Told at once."""

Fact: TypeAlias = bool | int | float | str | None
Baseline: TypeAlias = int | str | list[int | str] | dict[str, Fact | list[Fact]]
"""As ``Workspace.compare`` takes it."""


class CompareEntry(Strict):
    """How relative gates compare: options of ``CompareOptions``, under their names."""

    minimum_effect: dict[str, float] = Field(default_factory=dict)
    run_noise: dict[str, float] = Field(default_factory=dict)
    mapping: dict[str, str] = Field(default_factory=dict)
    waive: list[str] = Field(default_factory=list)
    warm_up: Any = None
    false_discovery_rate: float | None = None
    confidence: float | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Those that are given."""
        return self.model_dump(exclude_unset=True)

    @model_validator(mode="after")
    def _check_options(self) -> CompareEntry:
        try:
            CompareOptions(**self.options)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self


class GateFile(Strict):
    """What a gate file says.

    Attributes
    ----------
    version
        Of the format.
    baseline
        What relative gates compare with; whoever evaluates the file may name another.
    compare
        Options of the comparison, by their names in ``CompareOptions``.
    """

    version: Literal[1] = 1
    baseline: Any = None
    compare: CompareEntry = Field(default_factory=lambda: CompareEntry())
    gates: tuple[GateSpec, ...] = Field(min_length=1)

    @field_validator("baseline")
    @classmethod
    def _check_baseline(cls, given: Any) -> Any:
        if given is None or _is_word(given) or (isinstance(given, list) and given and all(map(_is_word, given))):
            return given
        if isinstance(given, dict) and all(_is_filter(value) for value in given.values()):
            return given
        raise ValueError("give a run's id, a name, a list of them, or filters of the history such as {stream: main}")


def read_gates(text: str, source: str) -> GateFile:
    """Read a gate file's text.

    Parameters
    ----------
    source
        What errors call it: its path.

    Raises
    ------
    UsageError
        It is no YAML, or no gate file; each problem with its line and gate.
    """
    if len(text) > LARGEST:
        raise UsageError(f"{source} has more than {LARGEST:,} characters: a gate file is a page or two")
    try:
        node = yaml.compose(text, Loader=_Loader)
        given = yaml.load(text, Loader=_Loader)  # noqa: S506 – a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise UsageError(f"{source} is no YAML that can be read: {_yaml_problem(error)}") from None
    return _checked(given, source, node)


def gates_of(given: Mapping[str, Any] | Sequence[str | Mapping[str, Any]]) -> GateFile:
    """Check what a gate file would say, given as Python's own values: all of it, or the list of its gates.

    Raises
    ------
    UsageError
        As ``read_gates`` does.
    """
    if not isinstance(given, Mapping | Sequence):
        raise UsageError(f"gates are no {type(given).__name__}: give a file's path, a list of gates, or a mapping")
    whole = dict(given) if isinstance(given, Mapping) else {"gates": [*given]}
    return _checked(whole, "the gates", None)


def _checked(given: Any, source: str, node: yaml.Node | None) -> GateFile:
    if not isinstance(given, dict):
        what = "is empty" if given is None else "is no mapping"
        raise UsageError(f"{source} {what}: a gate file has gates:, and below it a list such as - error_rate < 1 %")
    try:
        return GateFile.model_validate(given)
    except ValidationError as error:
        found = _told_once(error.errors(include_url=False))
    problems = [_problem(details, given, node) for details in found[:MOST_PROBLEMS]]
    if len(found) == 1:
        raise UsageError(f"{source}, {problems[0]}")
    more = [f"and {len(found) - MOST_PROBLEMS} more"] if len(found) > MOST_PROBLEMS else []
    raise UsageError("\n  ".join([f"{source} has {len(found)} problems:", *problems, *more]))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no annotations
    """Refuses a key that stands twice, and leaves dates as texts, as the history's filters take them."""

    yaml_implicit_resolvers = {  # noqa: RUF012 – PyYAML's own
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Look at the keys before they become those of a dict."""
        seen: dict[Any, int] = {}
        for key, _ in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else None
            if word in seen and word is not None:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{word!r} stands here and in line {seen[word]}, too", key.start_mark
                )
            seen[word] = key.start_mark.line + 1
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


def _yaml_problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    mark = error.problem_mark
    hint = ": what begins with >, %, @ or * needs quotes" if isinstance(error, yaml.scanner.ScannerError) else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}{hint}"


def _is_word(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_filter(value: Any) -> bool:
    return all(isinstance(one, Fact) for one in (value if isinstance(value, list) else [value]))


def _told_once(problems: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows of a gate's metric, or of the list of gates."""
    roots = {details["loc"][:2] for details in problems if details["loc"][2:] == ("metric",)}
    gates = [details for details in problems if details["loc"][:1] == ("gates",) and details["loc"] != ("gates",)]
    return [
        details
        for details in problems
        if not (details["loc"][:2] in roots and details["loc"][2:] != ("metric",) and details["type"] == "value_error")
        and not (details["loc"] == ("gates",) and gates)
    ]


def _problem(details: ErrorDetails, given: Any, node: yaml.Node | None) -> str:
    """Say where a problem is, and what it is."""
    path = details["loc"]
    where = [] if node is None else [f"line {_line(node, path)}"]
    field = [str(step) for step in path]
    if len(path) > 1 and path[0] == "gates":
        entry = given["gates"][path[1]]
        text = entry if isinstance(entry, str) else None
        where.append(f"gate {int(path[1]) + 1}" + (f" ({text[:80]})" if text else ""))
        field = field[2:3]
    return ", ".join([*where, *(".".join(field),) * bool(field)]) + f": {_words(details)}"


def _line(node: yaml.Node, path: Iterable[int | str]) -> int:
    """Find the line of what a path leads to, as far as it goes."""
    line: int = node.start_mark.line
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
    return line + 1


def _words(details: ErrorDetails) -> str:
    kind, place = details["type"], details["loc"]
    model = _MODELS.get(str(place[0]), GateFile) if len(place) > 1 else GateFile
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in model.model_fields.items()]
        return f"there is no such field{near(str(place[-1]), known)}"
    if place == ("gates",):
        return "a list with a gate at least is needed, or nothing would be looked at"
    if place == ("version",):
        return f"this ATOR reads version 1 of gate files: {details['input']!r} needs another one"
    if place[2:] == ("without",):
        return f"there is no gate of that{near(str(details['input']), WITHOUT)}"
    return str(details["ctx"]["error"]) if kind == "value_error" else details["msg"]


_MODELS: dict[str, type[Strict]] = {"gates": GateSpec, "compare": CompareEntry}
"""What stands below the fields of a gate file."""
