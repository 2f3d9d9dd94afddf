from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import panel as pn
import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_socket
from websockets.typing import Subprotocol

from ator_lib import Workspace
from ator_lib.errors import UsageError
from ator_lib.server.app import create_app
from ator_lib.server.serve import rules_for, serve
from ator_lib.server.visitors import Visitor
from tests.support.browser import GuardedPage
from tests.support.served import listening

ROOT = Path(__file__).parents[2]

SERVE = """
import sys
from ator_lib import connect
from ator_lib.server.serve import serve
from panel_app.pages import pages
serve(connect(sys.argv[1]), pages(), port=0, on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def counting_page(workspace: Workspace, visitor: Visitor) -> pn.Column:
    """Make a page whose button the server answers."""
    said = pn.pane.Markdown("not clicked")
    button = pn.widgets.Button(label="Count")
    button.on_click(lambda _: setattr(said, "object", "clicked once"))
    return pn.Column(button, said)


PAGES = {"/overview": counting_page}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.example.org"])
def test_other_addresses_are_not_served_without_tokens(workspace: Workspace, host: str) -> None:
    """It refuses to start, and says how to make a token and how to do without."""
    with pytest.raises(UsageError, match=r"needs a token.*`ator token create NAME --role admin`.*SSH tunnel"):
        serve(workspace, {}, host=host, port=8000)


@pytest.mark.parametrize("options", [{"require_token": True}, {"allow_hosts": ["ator.example"]}])
def test_loopback_that_wants_tokens_needs_one_too(workspace: Workspace, options: dict[str, Any]) -> None:
    """Nobody could come in otherwise. A token that holds no more does not do."""
    workspace.tokens.create("gone", "admin")
    workspace.tokens.revoke("gone")
    with pytest.raises(UsageError, match="there is none that holds"):
        serve(workspace, {}, **options)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "::1", "127.8.9.10"])
def test_loopback_is_open_unless_told_otherwise(host: str) -> None:
    """It goes by its own names only, and asks for tokens where it is told to or has a further name."""
    rules = rules_for(host)
    assert (rules.requires_token, rules.any_address) == (False, False)
    assert rules.host_names == {"localhost", "127.0.0.1", "::1", host.lower()}

    assert rules_for(host, require_token=True).requires_token
    assert rules_for(host, allow_hosts=["ator.example"]).requires_token


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "lab.example.org", "fe80::1"])
def test_other_addresses_always_want_tokens(host: str) -> None:
    """Also when nobody asks for that; they go by this machine's names and those that are given."""
    rules = rules_for(host, require_token=False, allow_hosts=["ATOR.example"])

    assert rules.requires_token
    assert {"localhost", host.lower(), socket.gethostname().lower(), "ator.example"} <= rules.host_names
    assert rules.any_address == (host in ("0.0.0.0", "::", ""))


def test_with_a_token_it_serves_those_who_have_it(workspace: Workspace) -> None:
    """One who shows the token gets in, nobody else."""
    _, secret = workspace.tokens.create("ci", "viewer")
    app = create_app(workspace, PAGES, rules=rules_for("127.0.0.1", require_token=True))
    with listening(app) as url:
        assert httpx.get(f"{url}/overview").status_code == 401
        assert httpx.get(f"{url}/overview", headers={"x-api-key": secret}).status_code == 200
        address = f"{url.replace('http://', 'ws://')}/overview/ws"
        with pytest.raises(InvalidStatus) as refused, connect_socket(address, subprotocols=[Subprotocol("bokeh")]):
            pass

    assert refused.value.response.status_code == 403


def test_a_page_lives_behind_a_login(workspace: Workspace, served_page: Callable[[str], GuardedPage]) -> None:
    """The dashboard's files and its websocket work with the cookie of the login page, and without it nothing does."""
    _, secret = workspace.tokens.create("ann", "viewer")
    with listening(create_app(workspace, PAGES, rules=rules_for("127.0.0.1", require_token=True))) as url:
        page = served_page(url).page
        page.goto(f"{url}/overview")
        page.get_by_label("API token").fill(secret)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Count").click()
        expect(page.get_by_text("clicked once")).to_be_visible(timeout=60_000)  # said by the server


def test_busy_port_is_said_with_what_to_do(workspace: Workspace) -> None:
    """A port in use is a usage error that names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} on 127\.0\.0\.1 is in use.*--port 0"):
            serve(workspace, {}, port=port)


def test_impossible_port_is_a_usage_error(workspace: Workspace) -> None:
    """A number that is no port is refused without a traceback."""
    with pytest.raises(UsageError, match="70000"):
        serve(workspace, {}, port=70_000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_gracefully(number: signal.Signals, tmp_path: Path) -> None:
    """``serve`` returns after SIGINT and SIGTERM, and nothing but its caller has printed."""
    with dashboard_process(tmp_path / "data") as (process, url):
        with urllib.request.urlopen(f"{url}/overview") as page:
            assert b"ATOR" in page.read()
        process.send_signal(number)
        printed, complaints = process.communicate(timeout=60)

    assert (process.returncode, printed, complaints) == (0, "ended\n", "")


@contextmanager
def dashboard_process(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the pages of a workspace in a process of their own; give it and its address."""
    argv = [sys.executable, "-c", SERVE, str(data)]
    with subprocess.Popen(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, process.stderr and process.stderr.read()
            yield process, url
        finally:
            if process.poll() is None:
                process.kill()
