"""``ator serve``: the dashboard and the HTTP API."""

from __future__ import annotations

from typing import Annotated

import typer

from ator_lib.cli.options import Store, say


def serve(
    store: Store,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but loopback needs tokens, and speaks plain HTTP.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 chooses a free one.")] = 8000,
    require_token: Annotated[bool, typer.Option("--require-token", help="Ask for tokens on loopback, too.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Another name that it is reached by, such as a proxy's; needs tokens; repeatable."),
    ] = None,
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Longest result file that may be uploaded, MiB.")] = 4096,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the dashboard and the HTTP API until interrupted."""
    from ator_lib.server.serve import serve as serve_app
    from panel_app.pages import pages

    serve_app(
        store.open_here(),
        pages(),
        host=host,
        port=port,
        require_token=require_token,
        allow_hosts=allow_host or (),
        max_upload_bytes=max_upload_mb * 2**20,
        open_browser=open_browser,
        on_ready=lambda address: say(f"dashboard: {address}  (stop it with Ctrl-C)"),
    )
