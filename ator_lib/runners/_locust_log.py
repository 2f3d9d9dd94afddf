"""What Locust's log says about why it did not run."""

from __future__ import annotations

import csv
import re
from pathlib import Path

_TAIL = 256 * 1024  # bytes; the decisive line is near the end
_FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+)')
_LOGGED = re.compile(r"\[[^]]+\] \S+/(?:ERROR|CRITICAL)/[\w.]+: (?P<text>.*\S)")
_USAGE = re.compile(r"locust: error: (?P<text>.*\S)")
_TRACEBACK = "Traceback (most recent call last):"
CAPTURE_FAILED = "Samples cannot be written any more"
NO_HOST = "You must specify the base host"


def tail(log: Path) -> str:
    """Give the end of the log; empty when there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL))
        return file.read().decode(errors="replace")


def capture_failure(text: str) -> str | None:
    """Give the reason that the recorder logged when it could not write any more."""
    found = re.search(rf"/ERROR/ator: {CAPTURE_FAILED}: (.*\S)", text)
    return found[1] if found else None


def task_exceptions(table: Path) -> str | None:
    """Say what tasks of the locustfile raised, from Locust's own table; ``None`` if nothing, or no table."""
    if not table.is_file():
        return None
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        raised = [(int(row["Count"]), row["Message"]) for row in csv.DictReader(file)]
    if not raised:
        return None
    count = sum(number for number, _ in raised)
    return f"{count} task{'s' * (count > 1)} of the locustfile raised an exception, most often: {max(raised)[1]}"


def broke_in_recorder(text: str) -> bool:
    """Say whether the last traceback ends in ATOR's own code rather than in the user's or Locust's."""
    frames = [found["file"] for line in text.splitlines() if (found := _FRAME.match(line))]
    return bool(frames) and Path(frames[-1]).parent == Path(__file__).parent


def decisive_line(text: str, locustfile: Path) -> str:
    """Give the line that says what went wrong: an exception with its place, or Locust's last error.

    Examples
    --------
    >>> text = '''Traceback (most recent call last):
    ...   File "/p/locust/main.py", line 7, in main
    ...     load()
    ...   File "/x/shop.py", line 3, in <module>
    ...     import foo
    ... ModuleNotFoundError: No module named 'foo'
    ... '''
    >>> decisive_line(text, Path("/x/shop.py"))
    "ModuleNotFoundError: No module named 'foo' (shop.py, line 3)"
    """
    lines = text.splitlines()
    for index in reversed(range(len(lines))):
        if lines[index].strip() == _TRACEBACK:
            return _exception(lines[index + 1 :], locustfile)
        if found := _LOGGED.match(lines[index]) or _USAGE.match(lines[index]):
            return found["text"]
    return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")


def _exception(lines: list[str], locustfile: Path) -> str:
    """Read on from a traceback's head: its frames are indented, the exception is not."""
    frames = []
    for line in lines:
        if found := _FRAME.match(line):
            frames.append((Path(found["file"]), found["line"]))
        elif line and not line.startswith(" "):
            break
    else:
        line = "a traceback without its end"
    own = [frame for frame in frames if frame[0] == locustfile] or frames
    return f"{line} ({own[-1][0].name}, line {own[-1][1]})" if own else line
