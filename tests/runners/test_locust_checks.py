"""Bad settings of the Locust runner are refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ator_lib.errors import UsageError
from ator_lib.model import LoadProfile
from ator_lib.runners.locust import Locust

SECRET = "s3cr3t-t0ken"


@pytest.fixture
def locustfile(tmp_path: Path) -> Path:
    """Give a file that exists; nothing here runs it."""
    path = tmp_path / "shop.py"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"users": 0}, "users must be a whole number of 1 or more, not 0"),
        ({"users": 1.5}, "users must be"),
        ({"users": True}, "users must be"),
        ({"processes": 0}, "processes must be"),
        ({"spawn_rate": 0}, "spawn_rate must be above 0"),
        ({"spawn_rate": float("nan")}, "spawn_rate must be above 0"),
        ({"run_time": 0}, "run_time must be above 0"),
        ({"run_time": "0s"}, "run_time must be above 0"),
        ({"run_time": -1}, "run_time must be above 0"),
        ({"run_time": ""}, "run_time must be above 0"),
        ({"run_time": "soon"}, "90s, 2m, 1h20m, not 'soon'"),
        ({"run_time": "1m2h"}, "run_time must be"),
        ({"run_time": float("inf")}, "run_time must be"),
        ({"stop_timeout_s": -1}, "stop_timeout_s must be"),
        ({"host": "127.0.0.1:8080"}, "host must be an http:// or https:// URL"),
        ({"host": "ftp://h"}, "host must be an http:// or https:// URL"),
        ({"host": "http://"}, "host must be an http:// or https:// URL"),
        ({"tags": "smoke"}, r"tags must be a list of texts, not one text: \['smoke'\]"),
        ({"extra_args": ["--processes=2"]}, "extra_args must not hold --processes=2"),
        ({"extra_args": ["-t", "9"]}, "extra_args must not hold -t"),
        ({"headers": {"X Token": "a"}}, "'X Token' is no HTTP header name"),
        ({"working_dir": "/no/such/folder"}, "working_dir /no/such/folder is not a folder"),
    ],
)
def test_bad_setting(locustfile: Path, setting: dict[str, Any], words: str) -> None:
    """Each is a UsageError that names the setting and what it may be."""
    with pytest.raises(UsageError, match=words):
        Locust(locustfile, **setting).check()


def test_missing_locustfile(tmp_path: Path) -> None:
    """A locustfile that is not there, or is a folder, is named with its full path."""
    with pytest.raises(UsageError, match=f"locustfile {tmp_path}/none.py does not exist"):
        Locust(tmp_path / "none.py").check()
    with pytest.raises(UsageError, match=f"locustfile {tmp_path} is not a file"):
        Locust(tmp_path).check()


@pytest.mark.parametrize(
    "setting",
    [
        {"host": f"http://user:{SECRET}@127.0.0.1"},
        {"headers": {"X-Token": f"{SECRET}\nX-Other: 1"}},
        {"headers": {"X-Token": f" {SECRET}"}},
    ],
)
def test_refused_secret_is_not_repeated(locustfile: Path, setting: dict[str, Any]) -> None:
    """A secret in the wrong place or shape is refused without being shown."""
    with pytest.raises(UsageError) as caught:
        Locust(locustfile, **setting).check()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("run_time", "seconds"),
    [(90, 90), ("90", 90), ("90s", 90), ("2m", 120), ("1h20m", 4800), ("1h1m1s", 3661), (0.2, 1), (" 5s ", 5)],
)
def test_run_time(locustfile: Path, run_time: str | float, seconds: int) -> None:
    """Seconds and Locust's own time spans; fractions of a second are rounded up."""
    runner = Locust(locustfile, run_time=run_time)
    runner.check()
    assert runner.load_profile.run_time_s == seconds


def test_load_profile(locustfile: Path) -> None:
    """What is planned is what is told to Locust; the default ramp is at once, but 100/s at most."""
    runner = Locust(locustfile, host="http://127.0.0.1:1", users=500, processes=2)
    assert runner.load_profile == LoadProfile(
        users=500, spawn_rate=100.0, run_time_s=60.0, processes=2, host="http://127.0.0.1:1"
    )
    assert Locust(locustfile, users=7).load_profile.spawn_rate == 7.0
    assert Locust(locustfile, users=7, spawn_rate=0.5).load_profile.spawn_rate == 0.5


def test_only_the_locustfile_is_positional(locustfile: Path) -> None:
    """Settings are named, so that they can be added to."""
    with pytest.raises(TypeError):
        Locust(locustfile, "http://127.0.0.1")  # type: ignore[call-arg]


def test_secrets_are_not_shown(locustfile: Path, tmp_path: Path) -> None:
    """Headers and environment are in no repr and on no command line."""
    runner = Locust(locustfile, headers={"X-Token": SECRET}, env={"TOKEN": SECRET})
    runner.check()
    command = runner.command(tmp_path)
    assert SECRET in command.env["TOKEN"]
    assert SECRET not in f"{runner!r} {command!r} {command.argv}"


def test_hard_limit_leaves_room_for_the_ramp(locustfile: Path, tmp_path: Path) -> None:
    """The limit is beyond run time, ramp and stopping together."""
    runner = Locust(locustfile, users=100, spawn_rate=10, run_time=30, stop_timeout_s=5)
    assert runner.command(tmp_path).timeout_s > 30 + 10 + 5
    assert runner.command(tmp_path).grace_s > 5
