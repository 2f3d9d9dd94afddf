"""One page in one browser: opened from its address, kept up to date while it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import panel as pn

from panel_app.address import Address
from panel_app.layout import framed
from panel_app.page import Page, Visitor

if TYPE_CHECKING:
    from ator_lib import Workspace


def opened(
    kind: type[Page], workspace: Workspace, visitor: Visitor, *, navigation: Sequence[tuple[str, str]]
) -> pn.Template:
    """Make a page of that kind with the state of the address that the browser asked for."""
    page = kind(workspace, visitor)
    page.go(_asked())
    address = Address(query=page.query)
    _connect(page, address)
    _keep_fresh(page)
    return framed(page, address, navigation=navigation, footer=f"ATOR · data in {workspace.data}")


def _asked() -> str:
    fields = [
        (name, value.decode("utf-8", errors="replace"))
        for name, values in pn.state.session_args.items()
        for value in values
    ]
    return f"?{urlencode(fields)}"


def _connect(page: Page, address: Address) -> None:
    """Let the address follow the page's state, and the page the address."""

    def follow_browser(_: object) -> None:
        if address.query != page.query:
            page.go(address.query)

    def follow_page(*_: object) -> None:
        address.query = page.query
        pn.state.execute(page.refresh)

    def look(_: object) -> None:
        pn.state.execute(page.refresh)

    def tell_shown(_: object) -> None:
        address.shown = page.shown

    address.param.watch(follow_browser, "query")
    address.param.watch(look, "changes")
    page.param.watch(tell_shown, "shown")
    page.param.watch(follow_page, page.state_names())


def _keep_fresh(page: Page) -> None:
    """Look when the browser has loaded the page and from then on as long as there may be news, until it closes."""

    async def look_again() -> None:
        if page.is_live:
            await page.refresh()

    async def begin() -> None:
        # not earlier: Panel loses what changes between a page's delivery and its being ready
        pn.state.add_periodic_callback(look_again, period=page.REFRESH_MS)  # type: ignore[arg-type]  # wrongly annotated
        await page.refresh()

    pn.state.onload(begin)
