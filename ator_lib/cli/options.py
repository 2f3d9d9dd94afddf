"""What commands share: groups of options, the store, and errors turned into exit codes.

A command takes *option groups*: parameters whose type is a dataclass. ``command`` spreads their
fields out as options, so that a group is written once and every command has it under the same names.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ator_lib.errors import AtorError, ExitCode, UsageError
from ator_lib.model import TAGS

if TYPE_CHECKING:
    from ator_lib.settings import Settings
    from ator_lib.workspace.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Store:
    """Which store a command works on; also where errors go."""

    data: Annotated[Path | None, typer.Option("--data", help="Folder of the store (ATOR_DATA; default ./data).")] = None
    database_url: Annotated[
        str | None, typer.Option("--database-url", help="postgresql://… registry (ATOR_DATABASE_URL).")
    ] = None
    server: Annotated[
        str | None,
        typer.Option("--server", help="http(s)://… of a server in their place (ATOR_SERVER; its token: ATOR_TOKEN)."),
    ] = None
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False

    def open(self) -> Workspace | Any:
        """Connect, to a server if one is chosen; nothing heavy is imported before a command gets here.

        A server's workspace is asked like any other, and says itself what it has not.
        """
        from ator_lib.workspace.connect import open_chosen

        return open_chosen(self._settings())

    def open_here(self) -> Workspace:
        """Connect to the store itself, for commands that a server cannot do.

        Raises
        ------
        UsageError
            A server was chosen.
        """
        self.settings_here()
        return self.open()

    def settings_here(self) -> Settings:
        """Read the settings of the store itself; UsageError if a server was chosen."""
        settings = self._settings()
        if settings.server is not None:
            raise UsageError(
                "this needs the store itself and not its server: do it where the database is, "
                "with --data or --database-url"
            )
        return settings

    def _settings(self) -> Settings:
        from ator_lib.settings import load_settings

        is_here = self.data is not None or self.database_url is not None
        if is_here and self.server is not None:
            raise UsageError("--server stands in place of --data and --database-url: give one or the other")
        settings = load_settings(data=self.data, database_url=self.database_url, server=self.server)
        return settings.model_copy(update={"server": None}) if is_here else settings

    def over(self, other: Store) -> Store:
        """Give the store with these options where set, else the other's."""
        return Store(
            data=self.data or other.data,
            database_url=self.database_url or other.database_url,
            server=self.server or other.server,
            debug=self.debug or other.debug,
        )


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a run is registered as."""

    test: Annotated[str | None, typer.Option(help="Name of the test.")] = None
    stream: Annotated[str | None, typer.Option(help="Line of development, such as main.")] = None
    location: Annotated[str | None, typer.Option(help="Where it loads; the default location if not given.")] = None
    factor: Annotated[str | None, typer.Option(help="Share of the location, 0 to below its capacity.")] = None
    repo: Annotated[str | None, typer.Option(help="Repository.")] = None
    lac: Annotated[str | None, typer.Option(help="Location application component.")] = None
    type: Annotated[str | None, typer.Option(help="Kind of test, such as load.")] = None
    environment: Annotated[str | None, typer.Option(help="Environment under test.")] = None
    triggered_by: Annotated[str | None, typer.Option(help="Who or what started it; default: the user.")] = None
    dashboard_url: Annotated[str | None, typer.Option(help="Link to a dashboard elsewhere.")] = None
    attribute: Annotated[list[str] | None, typer.Option(help="key=value to keep with the run; repeatable.")] = None

    def as_arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``Workspace.register`` and ``Workspace.execute``."""
        words = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "attribute"}
        return {**words, "attributes": attributes_of(self.attribute)}


@dataclass(frozen=True, kw_only=True)
class InfluxOptions:
    """Which InfluxDB; its token is taken from the settings, as the command line is for everybody to see."""

    influx: Annotated[
        str | None, typer.Option(help="http(s)://… of InfluxDB 2 (ATOR_INFLUX_URL; its token: ATOR_INFLUX_TOKEN).")
    ] = None
    bucket: Annotated[str | None, typer.Option(help="Bucket of InfluxDB (ATOR_INFLUX_BUCKET).")] = None
    org: Annotated[str | None, typer.Option(help="Organisation of InfluxDB (ATOR_INFLUX_ORG).")] = None

    def as_arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``Workspace.export_influx`` and ``Workspace.ingest_flux``."""
        return {"url": self.influx, "bucket": self.bucket, "org": self.org}


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

ReportOption = Annotated[
    Path | None, typer.Option(help="Write a report, too: .html (a page), .json, .xml (JUnit) or .md.")
]


def attributes_of(texts: list[str] | None) -> dict[str, str]:
    """Read ``--attribute`` of a run.

    Raises
    ------
    UsageError
        One is not ``key=value``, or is the run's tags.
    """
    attributes = pairs(texts, "--attribute")
    if TAGS in attributes:
        raise UsageError(f"--attribute {TAGS}=… is not possible: tags are given by --tag (by --run-tag at ator run)")
    return attributes


def pairs(texts: list[str] | None, option: str, sign: str = "=", *, at_last: bool = False) -> dict[str, str]:
    """Read ``key=value`` options, cut at the first or last sign; the message shows no value, as it may be a secret."""
    split = [text.rpartition(sign) if at_last and sign in text else text.partition(sign) for text in texts or []]
    for key, found, _ in split:
        if not found:
            raise UsageError(f"{option} {key!r} is not of the form key{sign}value")
    return {key: value for key, _, value in split}


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a Typer command of ``function(store, …)``.

    The first parameter is the ``Store``; further option groups may follow. A returned number is
    the exit code. Errors of ours become one sentence on stderr and their exit code.
    """
    signature = inspect.signature(function, eval_str=True)
    annotations: dict[str, type[Any]] = {p.name: p.annotation for p in signature.parameters.values()}
    groups = {name: type_ for name, type_ in annotations.items() if dataclasses.is_dataclass(type_)}

    def run(ctx: typer.Context, **options: Any) -> None:
        built: dict[str, Any] = {}
        for name, group in groups.items():
            built[name] = group(**{f.name: options.pop(f.name) for f in dataclasses.fields(group)})
        store = built[next(iter(groups))].over(ctx.find_root().obj or Store())
        built[next(iter(groups))] = store
        code = _translated(lambda: function(**built, **options), debug=store.debug)
        if code:
            raise typer.Exit(code)

    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    for parameter in signature.parameters.values():
        if parameter.name in groups:
            continue
        parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    for group in reversed(groups.values()):  # the store's options last: they are the same everywhere
        parameters += _spread(group)
    run.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def _spread(group: type[Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(group, eval_str=True).parameters.values())


def _translated(action: Callable[[], int | None], *, debug: bool) -> int:
    """Run a command; give its exit code. With ``debug`` errors come through whole."""
    try:
        return action() or ExitCode.OK
    except KeyboardInterrupt:
        say("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `ator history | head` is no error
        sys.stderr.close()
        return ExitCode.OK
    except AtorError as error:
        if debug:
            raise
        say(f"error: {error}")
        for note in getattr(error, "__notes__", ()):
            say(note)
        return error.exit_code
    except Exception as error:
        if debug:
            raise
        say(f"unexpected error: {type(error).__name__}: {error}. Run again with --debug for the details.")
        return ExitCode.BROKEN


def say(text: str) -> None:
    """Write for people: on stderr, so that stdout stays for data."""
    typer.echo(harmless(text), err=True)


def tell(words: str) -> None:
    """Write a sentence of an answer on stdout: names of endpoints in it break no line and steer no terminal."""
    typer.echo(harmless(" ".join(words.split())))


def harmless(text: str) -> str:
    """Take out what would steer a terminal: names of runs are anybody's text."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def confirm(question: str, *, otherwise: str) -> None:
    """Ask before something is gone for good.

    Parameters
    ----------
    otherwise
        What the answer "no" comes to, such as "nothing was deleted".

    Raises
    ------
    UsageError
        The answer was no, or nobody is there to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{otherwise}: nobody is there to ask, so say --yes if it is meant")
    if not typer.confirm(question, err=True):
        raise UsageError(otherwise)
