"""The command line: a file per noun; arguments become Workspace calls."""

from __future__ import annotations


def main() -> None:
    """Entry point of the ``ator`` command."""
    from ator_lib.cli.app import app

    app()
