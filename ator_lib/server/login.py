"""The way in for browsers: a page that takes a token and keeps it in a cookie.

The cookie holds the token itself, and the server holds nothing: a token that is revoked ends every
login that was made with it, and a login outlives a restart of the server. Scripts cannot read the
cookie, and other sites cannot make a browser send it with more than a plain link.
"""

from __future__ import annotations

from html import escape
from string import Template
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ator_lib.errors import StoreError
from ator_lib.server.access import TokenCheck, by_cookie, cookie_name, principal_of
from ator_lib.server.problems import Door

_MOST_FIELDS = 10

_WRONG = "This token is wrong, has expired or was revoked."
_UNAVAILABLE = "The server cannot reach its database now. Try again in a while."

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in · ATOR</title>
<link rel="icon" href="data:,">
<style>
:root { --ink: #16202e; --muted: #5a6778; --line: #8794a5; --surface: #fff; --ground: #f4f6f9;
  --accent: #0b6bcb; --on-accent: #fff; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf6; --muted: #a3b1c4; --line: #64748b; --surface: #152238; --ground: #0d1626;
    --accent: #38bdf8; --on-accent: #08131f; --bad: #ff9d92; }
}
* { box-sizing: border-box; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; padding: 16px; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 400px; padding: 28px; background: var(--surface); border-radius: 10px;
  box-shadow: 0 1px 3px #0004; }
h1 { margin: 0 0 16px; font-size: 20px; }
label { display: block; font-weight: 600; }
input { width: 100%; margin: 6px 0; padding: 9px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--surface); color: inherit; font: inherit; }
button { width: 100%; margin-top: 16px; padding: 10px; border: 0; border-radius: 6px; background: var(--accent);
  color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
p { margin: 0 0 12px; overflow-wrap: anywhere; }
.hint { color: var(--muted); font-size: 14px; }
.problem { color: var(--bad); font-weight: 600; }
code { font-size: 13px; }
</style>
</head>
<body>
<main>
<h1>ATOR</h1>
$content
</main>
</body>
</html>
""")

_FORM = Template("""\
$problem<form method="post" action="/login">
<input type="hidden" name="next" value="$next">
<label for="token">API token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password" spellcheck="false"
  aria-describedby="hint$described"$invalid>
<p class="hint" id="hint">Whoever runs this server makes one with <code>ator token create NAME --role viewer</code></p>
<button type="submit">Log in</button>
</form>""")

_PROBLEM = Template('<p class="problem" id="problem" role="alert">$problem</p>\n')

_LOGGED_IN = Template("""\
<p>You are logged in as <strong>$name</strong>, with the role $role.</p>
<p><a href="$next">Go on</a></p>
<form method="post" action="/logout"><button type="submit">Log out</button></form>""")


def login_router(check: TokenCheck) -> APIRouter:
    """Make ``/login`` and ``/logout``; the guard lets everybody reach them."""
    router = APIRouter(include_in_schema=False, route_class=Door)
    login = _Login(check)
    router.add_api_route("/login", login.show, methods=["GET"])
    router.add_api_route("/login", login.log_in, methods=["POST"])
    router.add_api_route("/logout", login.log_out, methods=["POST"])
    return router


class _Login:
    """What the two addresses answer."""

    def __init__(self, check: TokenCheck) -> None:
        self._check = check
        self._logged_in = by_cookie(check)

    async def show(self, request: Request) -> Response:
        target = local_target(request.query_params.get("next", ""))
        try:
            principal = await self._logged_in(request)
        except StoreError:
            return _form(target, problem=_UNAVAILABLE, status=503)
        if principal is None:
            return _form(target)
        words = {"name": principal.name, "role": principal.role, "next": target}
        return _page(_LOGGED_IN.substitute({key: escape(word) for key, word in words.items()}))

    async def log_in(self, request: Request) -> Response:
        token, target = await _read_form(request)
        try:
            principal = await principal_of(self._check, token)
        except StoreError:
            return _form(target, problem=_UNAVAILABLE, status=503)
        if principal is None:
            return _form(target, problem=_WRONG, status=401)
        answer = RedirectResponse(target, status_code=303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(cookie_name(request), token, httponly=True, samesite="lax", secure=is_secure)
        return answer

    async def log_out(self, request: Request) -> Response:
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(cookie_name(request), httponly=True, samesite="lax")
        return answer


def local_target(target: str) -> str:
    """Give where to go after the login: a path of this server, ``/`` for everything else.

    Browsers read a backslash as a slash, and leave control characters out before they look: both
    could make ``//elsewhere`` of what does not look like it.

    Examples
    --------
    >>> local_target("/run?id=3")
    '/run?id=3'
    >>> local_target("//elsewhere.example")
    '/'
    """
    is_path = target.startswith("/") and not target.startswith("//")
    return target if is_path and target.isprintable() and "\\" not in target else "/"


async def _read_form(request: Request) -> tuple[str, str]:
    """Give the token and where to go after; fields that are missing or odd are empty."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, max_num_fields=_MOST_FIELDS)
    except ValueError:  # too many of them: no form of ours
        fields = {}
    token, target = (fields.get(name, [""])[0] for name in ("token", "next"))
    return token.strip(), local_target(target)


def _form(target: str, *, problem: str | None = None, status: int = 200) -> HTMLResponse:
    """Show the form; with what went wrong, it is tied to the field, and said aloud by screen readers."""
    content = _FORM.substitute(
        next=escape(target),
        problem="" if problem is None else _PROBLEM.substitute(problem=problem),
        described="" if problem is None else " problem",
        invalid="" if problem is None else ' aria-invalid="true"',
    )
    return _page(content, status)


def _page(content: str, status: int = 200) -> HTMLResponse:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return HTMLResponse(_PAGE.substitute(content=content), status, headers)
