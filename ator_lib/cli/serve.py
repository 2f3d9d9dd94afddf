"""``ator serve``: the dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from ator_lib.cli.options import Store, say


def serve(
    store: Store,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 chooses a free one.")] = 8000,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the dashboard until interrupted."""
    from ator_lib.server.serve import serve as serve_app
    from panel_app.pages import pages

    serve_app(
        store.open(),
        pages(),
        host=host,
        port=port,
        open_browser=open_browser,
        on_ready=lambda address: say(f"dashboard: {address}  (stop it with Ctrl-C)"),
    )
