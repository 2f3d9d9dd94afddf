"""The command line: a file per noun; arguments become Workspace calls."""

from __future__ import annotations

import signal


def main() -> None:
    """Entry point of the ``ator`` command."""
    from ator_lib.cli.app import app

    # A CI job that is called off gets SIGTERM: like Ctrl-C, it must not cost the results so far.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
