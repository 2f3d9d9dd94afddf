"""Locust's own process: starts Locust and records every request. The only file that imports it.

``python -m ator_lib.runners._locust_capture <locust arguments>``, with the JSON object of
``Locust.command`` in the environment variable ``ATOR_LOCUST``.
"""

from __future__ import annotations

import locust  # isort: skip  # first: it patches the standard library for gevent

import contextlib
import ctypes
import functools
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gevent
import locust.main
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from ator_lib.readers.capture.streams import SUFFIX
from ator_lib.runners._locust_log import CAPTURE_FAILED
from ator_lib.runners._locust_samples import RequestListener, SampleStream, describe_error, to_batch, words_of
from ator_lib.runners.locust import CONFIGURATION, EXIT_CAPTURE_FAILED, FAILED_FILE

_FAILED_MESSAGE = "ator_capture_failed"
_FLUSH_INTERVAL_S = 1.0
_LAST_REPORTS_S = 5.0
_PR_SET_PDEATHSIG = 1

_log = logging.getLogger("ator")


class Capture:
    """Records the requests of this process into a stream in ``folder``."""

    def __init__(self, folder: Path, secrets: Sequence[str]) -> None:
        self._folder = folder
        self._error_text = functools.partial(describe_error, secrets=secrets)
        self._environment: Any
        self._stream: SampleStream | None = None
        self._listener: RequestListener | None = None

    def on_init(self, environment: Any, runner: Any, **_: object) -> None:
        """Begin, after the fork: Locust knows its role and its users, and no load runs yet."""
        # gevent's clock still stands at its own import; the run time would be shorter by all imports since.
        gevent.get_hub().loop.update_now()
        if problem := _bad_input(environment):
            _log.error(problem)
            sys.exit(1)
        self._environment = environment
        if isinstance(runner, MasterRunner):
            runner.register_message(_FAILED_MESSAGE, self._on_worker_failed, concurrent=True)
            environment.events.test_stop.add_listener(_await_last_reports)
            return
        if isinstance(runner, WorkerRunner):
            _die_with_master()
        role = "worker" if isinstance(runner, WorkerRunner) else "local"
        try:
            self._open(role, f"{role}-{runner.worker_index}")
        except OSError as error:
            self._fail(error)
            sys.exit(EXIT_CAPTURE_FAILED)
        gevent.spawn(self._flush_regularly)

    def on_quit(self, **_: object) -> None:
        """Write the rest and mark the clean end: users have stopped."""
        if self._stream is not None:
            try:
                self._stream.flush(users=self._environment.runner.user_count)
                self._stream.close()
            except Exception as error:  # see _flush
                self._fail(error)
                sys.exit(EXIT_CAPTURE_FAILED)

    def _open(self, role: str, worker: str) -> None:
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{role}-{os.getpid()}{SUFFIX}"
        self._stream = SampleStream(path, worker=worker, tool_version=locust.__version__)
        self._listener = self._stream.listener(self._error_text)
        self._environment.events.request.add_listener(self._listener)
        # so that the first second already knows its users
        self._environment.events.spawning_complete.add_listener(self._flush)

    def _flush_regularly(self) -> None:
        while self._stream is not None:
            gevent.sleep(_FLUSH_INTERVAL_S)
            self._flush()

    def _flush(self, **_: object) -> None:
        if self._stream is not None:
            try:
                self._stream.flush(users=self._environment.runner.user_count)
            except Exception as error:  # whatever it was, requests were lost
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Say that requests are lost, and end the load: what follows would be worth nothing."""
        self._stream = None
        if self._listener is not None:
            self._environment.events.request.remove_listener(self._listener)
        reason = words_of(error)
        _log.error("%s: %s", CAPTURE_FAILED, reason)
        with contextlib.suppress(OSError):  # the exit code says it too
            (self._folder / FAILED_FILE).write_text(reason)
        self._environment.process_exit_code = EXIT_CAPTURE_FAILED
        runner = self._environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(_FAILED_MESSAGE, {"reason": reason})
        else:
            gevent.spawn(runner.quit)

    def _on_worker_failed(self, environment: Any, msg: Any) -> None:
        _log.error("A worker cannot write its samples any more: %s", msg.data["reason"])
        environment.process_exit_code = EXIT_CAPTURE_FAILED
        environment.runner.quit()


def _bad_input(environment: Any) -> str | None:
    """Locust runs on with tags that nothing has, and no task left."""
    wanted = set(environment.parsed_options.tags or ())
    known = {tag for user_class in environment.user_classes for tag in _tags(user_class)}
    if unknown := wanted - known:
        there = f"It has: {', '.join(sorted(known))}." if known else "It has none."
        return f"Unknown tag(s): {', '.join(sorted(unknown))}. No task of the locustfile has them. {there}"
    return None


def _tags(holder: Any) -> Iterator[str]:
    for task in holder.tasks:
        if hasattr(task, "tasks"):
            yield from _tags(task)
        else:
            yield from getattr(task, "locust_tag_set", ())


def _await_last_reports(environment: Any, **_: object) -> None:
    """Keep Locust's own counts whole: its master listens for only half a second after asking to quit.

    On a busy machine it lost most of what its workers had done, and its reports with it. A worker
    that has reported leaves ``clients``.
    """
    runner = environment.runner
    runner.send_message("quit")
    deadline = time.monotonic() + environment.stop_timeout + _LAST_REPORTS_S
    while time.monotonic() < deadline and any(client.state != STATE_MISSING for client in runner.clients.all):
        gevent.sleep(0.05)


def _die_with_master() -> None:
    """Workers whose master was killed would load the target for another minute."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _send_with_every_request(headers: Mapping[str, str]) -> None:
    """Give the clients of all users these headers; a request's own ones still win."""

    def extend(session: type[Any], defaults: Callable[[Any], Any]) -> None:
        plain = session.__init__

        @functools.wraps(plain)
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            plain(self, *args, **kwargs)
            defaults(self).update(headers)

        session.__init__ = init

    extend(HttpSession, lambda client: client.headers)
    extend(FastHttpSession, lambda client: client.client.default_headers)


def _reserve_port() -> socket.socket:
    """Bind a free port for the master, so that nobody else is given it meanwhile.

    It is not listened on, and both sides set SO_REUSEADDR (zmq does): Locust can bind it as well.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def main() -> None:
    """Start Locust with this process's arguments, recording."""
    configuration = json.loads(os.environ.pop(CONFIGURATION))  # secrets: not for the children
    sys.argv[0] = "locust"
    sys.path.insert(0, configuration["import_path"])
    # The first conversion loads pandas, for most of a second: not while load is running.
    to_batch([0.0, 0.0, "", None, None, None, None], "")
    headers: dict[str, str] = configuration["headers"]
    _send_with_every_request(headers)
    locust_main: Callable[[], None] = locust.main.main
    capture = Capture(Path(configuration["folder"]), configuration["secrets"])
    events: Any = locust.events
    events.init.add_listener(capture.on_init)
    events.quit.add_listener(capture.on_quit)
    if "--processes" in sys.argv:
        reserved = _reserve_port()
        port = str(reserved.getsockname()[1])
        if sys.platform != "linux":  # BSD has no second bind of an address, so the port is only likely to stay free
            reserved.close()
        sys.argv[1:1] = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
    locust_main()


if __name__ == "__main__":
    main()
