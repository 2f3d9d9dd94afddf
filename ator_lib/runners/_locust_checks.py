"""What the settings of the Locust runner may be; each check raises ``UsageError``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ator_lib.errors import UsageError

_SPAN = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s?)?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TAKEN = """
-f --locustfile -H --host -u --users -r --spawn-rate -t --run-time -s --stop-timeout -T --tags -E --exclude-tags
-L --loglevel --logfile --skip-log-setup --headless --headful --autostart --processes --master --worker
--master-host --master-port --master-bind-host --master-bind-port --csv --json --json-file --html
"""


def seconds(run_time: str | float) -> int:
    """Read a time span.

    Examples
    --------
    >>> seconds("1h20m"), seconds("90"), seconds(1.5)
    (4800, 90, 2)
    """
    if isinstance(run_time, str):
        found = _SPAN.fullmatch(run_time.strip())
        parts = {unit: int(value) for unit, value in found.groupdict().items() if value} if found else {}
        span_s: float = parts.get("h", 0) * 3600 + parts.get("m", 0) * 60 + parts.get("s", 0)
    else:
        span_s = run_time
    if not 0 < span_s < math.inf:
        raise UsageError(f"run_time must be above 0: seconds, or text like 90s, 2m, 1h20m, not {run_time!r}.")
    return math.ceil(span_s)


def check_paths(locustfile: Path, working_dir: str | Path | None) -> None:
    if not locustfile.exists():
        raise UsageError(f"locustfile {locustfile} does not exist. Give the path of a Python file with Locust users.")
    if not locustfile.is_file():
        raise UsageError(f"locustfile {locustfile} is not a file. Give the path of one Python file.")
    if working_dir is not None and not Path(working_dir).is_dir():
        raise UsageError(f"working_dir {working_dir} is not a folder. Give one that exists, or leave it out.")


def check_counts(**counts: object) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise UsageError(f"{name} must be a whole number of 1 or more, not {count!r}.")


def check_lists(**lists: Sequence[str] | str) -> None:
    for name, values in lists.items():
        if isinstance(values, str):
            raise UsageError(f"{name} must be a list of texts, not one text: [{values!r}].")
    if taken := [argument for argument in lists["extra_args"] if argument.split("=")[0] in _TAKEN.split()]:
        raise UsageError(f"extra_args must not hold {taken[0]}: ATOR sets it. Use the runner's own settings.")


def check_host(host: str | None) -> None:
    if host is None:
        return
    parts = urlsplit(host)
    if parts.username or parts.password:
        raise UsageError("host must not hold a user name or password. Send them with headers={'Authorization': …}.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"host must be an http:// or https:// URL like http://127.0.0.1:8080, not {host!r}.")


def check_headers(headers: Mapping[str, object]) -> None:
    """Refuse what the clients would refuse later, with the value in the log."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no HTTP header name.")
        if not isinstance(value, str) or not value.isprintable() or value != value.strip() or not value.isascii():
            raise UsageError(f"the value of header {name!r} must be one line of ASCII text without spaces around it.")


def check_environment(env: Mapping[str, object]) -> None:
    """Refuse what no process can be given; the values are secret and are not shown."""
    for name, value in env.items():
        if not name or "=" in name or "\0" in name:
            raise UsageError(f"{name!r} is no name of an environment variable.")
        if not isinstance(value, str) or "\0" in value:
            raise UsageError(f"the value of env {name!r} must be text without NUL characters.")
