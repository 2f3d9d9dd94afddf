"""One ATOR server, asked over HTTP: which requests are repeated, and what its refusals mean here."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from math import inf
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from ator_lib.errors import AccessError, AtorError, ResultsError, SettingsError, StoreError, StoreUnavailableError
from ator_lib.registry.problems import error_from_json

Document: TypeAlias = dict[str, Any]

PAUSES_S = (0.4, 1.2, 3.0)
"""Between the attempts at what may be done twice with the effect of once."""

_ANSWER_S = 20.0
_CONNECT_S = 5.0
_READ_IN_S = 3600.0
"""A server that was sent a file answers when it has read it in."""

_LONGEST_RETRY_AFTER_S = 5.0

_KEEP_ALIVE_S = 4.0
"""Below the 5 s of uvicorn, so that no request is sent into a connection that is being closed."""

_AWAY = frozenset({502, 503, 504})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What a request does, for the words of an error when it got no answer.

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
    hint: str = "Doing it again is safe."
    is_repeatable: bool = True


LOOKING = Doing(what="anything", done="changed", hint="")


class ServerClient:
    """Asks a server; any number of threads may do so at once.

    Parameters
    ----------
    url
        ``http(s)://host:port``, perhaps with a path that it is served under.
    token
        An API token; it goes into one header and is kept nowhere else.

    Raises
    ------
    SettingsError
        The address or the token cannot be one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = _checked_url(url)
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {_checked_token(token)}"
        parts = urlsplit(self.url)
        is_local = _is_loopback(parts.hostname or "")
        if token is not None and parts.scheme == "http" and not is_local:
            _warn_of_the_clear(self.url)
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_S),
            follow_redirects=False,  # the token is for this server
            # a transport of our own knows no proxies; it verifies where there is something to verify
            transport=httpx.HTTPTransport(verify=parts.scheme == "https") if is_local else None,
        )

    def get(self, path: str, **parameters: Any) -> Document:
        """Look at something; parameters that are ``None`` are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.ask("GET", path, LOOKING, params=given)

    def ask(
        self,
        method: str,
        path: str,
        doing: Doing,
        *,
        body: Mapping[str, Any] | None = None,
        within_s: float = inf,
        **request: Any,
    ) -> Document:
        """Send a request, again while the server cannot be reached; return the JSON that it answers.

        Parameters
        ----------
        body
            Sent as JSON.
        within_s
            Seconds after which the answer is of no use any more.

        Raises
        ------
        StoreUnavailableError
            The server stayed away, or cannot reach its database; ``in_doubt`` unless nothing was done.
        AtorError
            What the server refused it with, in its class.
        StoreError
            Something broke in the server, or it is none of ATOR's.
        """
        if body is not None:
            # in ASCII: half a character, which UTF-8 cannot say, is refused by the server's own words
            request["content"] = json.dumps(body, allow_nan=False).encode()
            request["headers"] = {"Content-Type": "application/json", **request.get("headers", {})}
        request["timeout"] = httpx.Timeout(min(_ANSWER_S, within_s), connect=min(_CONNECT_S, within_s))
        end = time.monotonic() + within_s
        in_doubt = False
        for pause_s in (*PAUSES_S, None):
            try:
                return self._attempt(method, path, **request)
            except _AwayError as away:
                in_doubt = in_doubt or away.in_doubt
                is_last = pause_s is None or (in_doubt and not doing.is_repeatable)
                if is_last or pause_s is None or time.monotonic() + pause_s > end:
                    raise self._given_up(away, doing, in_doubt=in_doubt) from None
                time.sleep(max(pause_s, away.retry_after_s))
        raise AssertionError("the last attempt returns or raises")

    def send_file(self, path: str, file: Path, doing: Doing, **parameters: str) -> Document:
        """Send a file of any size in parts, once more if the connection breaks; return what the server answers.

        Raises
        ------
        ResultsError
            The file cannot be read, or was written to meanwhile. Else as for ``ask``.
        """
        for is_last in (False, True):
            try:
                with file.open("rb") as content:
                    timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S, read=_READ_IN_S)
                    return self._attempt("POST", path, content=content, params=parameters, timeout=timeout)
            except OSError as error:
                raise ResultsError(f"{file} cannot be read: {error.strerror or error}") from error
            except _AwayError as away:
                if is_last:
                    raise self._given_up(away, doing, in_doubt=away.in_doubt) from None
                time.sleep(max(PAUSES_S[0], away.retry_after_s))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, method: str, path: str, **request: Any) -> Document:
        try:
            answer = self._client.request(method, self.url + path, **request)
        except httpx.LocalProtocolError as error:  # fewer or more bytes than announced
            raise ResultsError(f"what was sent changed meanwhile ({error}): send it when it is complete") from error
        except httpx.TransportError as error:
            why = f"cannot be reached ({type(error).__name__}: {error})"
            raise _AwayError(why, in_doubt=not isinstance(error, _NEVER_SENT)) from error
        if answer.status_code in _AWAY:
            raise _AwayError(_words_of(answer), in_doubt=True, retry_after_s=_retry_after_s(answer))
        return self._document(answer)

    def _document(self, answer: httpx.Response) -> Document:
        document = _json_of(answer)
        if answer.is_success and document is not None:
            return document
        if document is not None and "error" in document:
            error = error_from_json(document)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                return _fail(AccessError(f"{error} ({self.url}; here it is given as token= or ATOR_TOKEN)"))
            return _fail(error)
        if answer.is_redirect:
            where = answer.headers.get("location")
            return _fail(StoreError(f"{self.url} leads on to {where}, which is not followed: connect to that address"))
        kind = AccessError if answer.status_code in (401, 403) else StoreError
        return _fail(
            kind(
                f"{self.url} {_words_of(answer)}, and not as an ATOR server would. "
                f"Is the address right, or is something in front of the server?"
            )
        )

    def _given_up(self, away: _AwayError, doing: Doing, *, in_doubt: bool) -> StoreUnavailableError:
        state = ""
        if doing is not LOOKING:
            state = f"{doing.what} was not {doing.done}: "
            if in_doubt:
                state = f"whether {doing.what} was {doing.done} is not known: "
        hint = f". {doing.hint}" if in_doubt and doing.hint else ""
        in_doubt = in_doubt and doing is not LOOKING
        return StoreUnavailableError(f"{state}{self.url} {away}{hint}", in_doubt=in_doubt)
