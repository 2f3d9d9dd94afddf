"""One ATOR server, asked over HTTP: what is asked again while it is away, and what its refusals mean here."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from ator_lib.errors import AccessError, AtorError, ResultsError, StoreError, StoreUnavailableError, UsageError
from ator_lib.registry.address import checked_address, checked_token, is_loopback, warn_of_the_clear
from ator_lib.registry.problems import error_from_json

Document: TypeAlias = dict[str, Any]

PAUSES_S = (0.4, 1.2, 3.0)
"""Between four attempts at what may be done twice with the effect of once."""

_ANSWER_S = 20.0
_CONNECT_S = 5.0
_READ_IN_S = 3600.0
"""A server that was sent a file answers when it has read it in."""

_LONGEST_RETRY_AFTER_S = 5.0

_KEEP_ALIVE_S = 4.0
"""Below the 5 s of uvicorn, so that nothing is sent into a connection that is just being closed."""

_AWAY = frozenset({502, 503, 504})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REFUSED: dict[int, type[AtorError]] = {401: AccessError, 403: AccessError, 413: UsageError}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a request changes, for the words of an error when it got no answer.

    Attributes
    ----------
    what, done
        "run 7", "completed".
    hint
        What to do when nobody knows whether it was done.
    is_repeatable
        Whether doing it twice has the effect of doing it once.
    """

    what: str
    done: str
    hint: str = "doing it again is safe"
    is_repeatable: bool = True


class ServerClient:
    """Asks a server; any number of threads may do so at once.

    Parameters
    ----------
    url
        ``http(s)://host:port``, perhaps with a path that it is served under.
    token
        An API token. It goes into a header and is kept nowhere else.
    pauses_s
        Seconds between attempts while the server cannot be reached.

    Raises
    ------
    SettingsError
        The address or the token cannot be one.
    """

    def __init__(self, url: str, token: str | None = None, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self.url = checked_address(url)
        self._pauses_s = pauses_s
        is_local, is_clear = is_loopback(self.url), not self.url.lower().startswith("https")
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {checked_token(token)}"
            if is_clear and not is_local:
                warn_of_the_clear(self.url)
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_S),
            follow_redirects=False,  # the token is for this server
            # a transport of our own knows no proxies, which do not reach this machine's loopback
            transport=httpx.HTTPTransport(verify=not is_clear) if is_local else None,
        )
        weakref.finalize(self, self._client.close)

    def __repr__(self) -> str:
        return f"ServerClient({self.url!r})"

    def get(self, path: str, **parameters: Any) -> Document:
        """Look at something; parameters that are ``None`` are left out. Raises like ``change``."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._persistently(lambda: self._attempt("GET", path, params=given), None)

    def change(
        self,
        method: str,
        path: str,
        change: Change,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        within_s: float = inf,
    ) -> Document:
        """Change something, asking again while the server cannot be reached; return its answer.

        Parameters
        ----------
        body
            Sent as JSON.
        within_s
            Seconds after which an answer is worth nothing any more.

        Raises
        ------
        StoreUnavailableError
            The server stayed away, or cannot reach its database. ``in_doubt`` if it may have been done.
        StoreError
            Something broke in the server, or it is none of ATOR's.
        AtorError
            The server refused it: of the class that was raised there.
        """
        # in ASCII: half a character, which UTF-8 cannot say, is then refused by the server and not here
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        request = {
            "content": content,
            "headers": {"Content-Type": "application/json", **(headers or {})},
            "timeout": httpx.Timeout(min(_ANSWER_S, within_s), connect=min(_CONNECT_S, within_s)),
        }
        return self._persistently(lambda: self._attempt(method, path, **request), change, within_s=within_s)

    def send_file(self, path: str, file: Path, change: Change, **parameters: Any) -> Document:
        """Send a file of any size in parts, once more if the connection breaks; return the server's answer.

        Raises
        ------
        ResultsError
            The file cannot be read, or was written to meanwhile. Else as for ``change``.
        """
        timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S, read=_READ_IN_S)

        def send() -> Document:
            try:
                with file.open("rb") as content:  # httpx tells its length and never reads it whole
                    return self._attempt("POST", path, content=content, params=parameters, timeout=timeout)
            except (OSError, httpx.LocalProtocolError) as error:  # the latter: other bytes than were announced
                raise ResultsError(f"{file} cannot be sent: {error}. Send it when it is complete.") from error

        return self._persistently(send, change, retries=1)

    def _persistently(
        self,
        attempt: Callable[[], Document],
        change: Change | None,
        *,
        retries: int | None = None,
        within_s: float = inf,
    ) -> Document:
        end = time.monotonic() + within_s
        is_repeatable = change is None or change.is_repeatable
        in_doubt = False
        for pause_s in (*self._pauses_s[:retries], inf):
            try:
                return attempt()
            except _AwayError as away:
                in_doubt = in_doubt or away.in_doubt
                if time.monotonic() + pause_s >= end or (in_doubt and not is_repeatable):
                    raise self._given_up(away, change, in_doubt=in_doubt) from away.__cause__
                time.sleep(max(pause_s, away.retry_after_s))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, method: str, path: str, **request: Any) -> Document:
        try:
            answer = self._client.request(method, self.url + path, **request)
        except httpx.LocalProtocolError:
            raise
        except httpx.TransportError as error:
            why = f"cannot be reached ({str(error) or type(error).__name__})"
            raise _AwayError(why, in_doubt=not isinstance(error, _NEVER_SENT)) from error
        document = _json_of(answer)
        if answer.status_code in _AWAY:
            in_doubt = document is None or document.get("in_doubt") is not False  # a proxy's answer does not say
            raise _AwayError(_answered(answer, document), in_doubt=in_doubt, retry_after_s=_retry_after_s(answer))
        if answer.is_success and document is not None:
            return document
        raise self._refusal(answer, document)

    def _refusal(self, answer: httpx.Response, document: Document | None) -> AtorError:
        if document is not None and "error" in document:
            error = error_from_json(document)
            hint = f" ({self.url}; here the token is given as token= or ATOR_TOKEN)"
            return AccessError(f"{error}{hint}") if answer.status_code == 401 else error
        if answer.is_redirect:
            where = answer.headers["location"]
            return StoreError(f"{self.url} leads on to {where}, which is not followed: connect to the right address")
        kind = _REFUSED.get(answer.status_code, StoreError)
        return kind(
            f"{self.url} {_answered(answer, None)}, and not in an ATOR server's words. "
            f"Is the address right, and what stands in front of the server?"
        )

    def _given_up(self, away: _AwayError, change: Change | None, *, in_doubt: bool) -> StoreUnavailableError:
        if change is None:
            return StoreUnavailableError(f"{self.url} {away}")
        if not in_doubt:
            return StoreUnavailableError(f"{change.what} was not {change.done}: {self.url} {away}")
        message = f"whether {change.what} was {change.done} is not known: {self.url} {away}; {change.hint}"
        return StoreUnavailableError(message, in_doubt=True)


class _AwayError(Exception):
    """One attempt got no answer of the server."""

    def __init__(self, why: str, *, in_doubt: bool, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.in_doubt = in_doubt
        self.retry_after_s = retry_after_s


def _json_of(answer: httpx.Response) -> Document | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _answered(answer: httpx.Response, document: Document | None) -> str:
    words = f": {document['message']}" if document and "message" in document else ""
    return f"answered {answer.status_code} {answer.reason_phrase}{words}"


def _retry_after_s(answer: httpx.Response) -> float:
    """Give the seconds that the answer asks for, within bounds; a date is taken for none."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), _LONGEST_RETRY_AFTER_S) if text.isdecimal() else 0.0
