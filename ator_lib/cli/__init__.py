"""The command line: a file per noun; arguments become Workspace calls."""

from __future__ import annotations

import signal


def main() -> None:
    """Entry point of the ``ator`` command."""
    from ator_lib.cli.app import app

    # A CI job that is called off gets SIGTERM, a terminal that is closed SIGHUP (nohup ignores it):
    # like Ctrl-C, they must not cost the results so far.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    app()
