"""The gate in front of every route: host, origin, login, and the headers that keep a page to itself.

A route is authenticated because it is behind the gate, not because its author remembered. What is open is listed here.
"""

import asyncio
import base64
import binascii
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outrider.api.auth import AUTHOR_HEADER, COOKIE, Authenticator, Login, named_author
from outrider.api.refusal import refuse
from outrider.model.errors import BadRequest

OPEN_PATHS = ("/api/health", "/api/join", "/api/join/look")
"""Answered without a login, which is known where there is one. `/login/…` and the page with its assets carry nothing
secret and are open too."""

SIGNED_PATHS = ("/api/hooks/push",)
"""Answered without a login, to whoever signs the request: their routes get the body from `api.signed` alone,
which checks the signature first."""

GUARDED_PREFIXES = ("/api/", "/git/", "/metrics")

_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Gate:
    """ASGI middleware. `hosts` are the host names (without port) that this server answers to."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, hosts: Iterable[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._hosts = frozenset(hosts)
        self._turn = asyncio.Lock()
        """Clients that all come back at once are let in one after the other, and all else in between."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its `Login` in the scope, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refuse_origin(headers)
        if refusal is None and scope["path"].startswith(GUARDED_PREFIXES):
            refusal = await self._refuse_stranger(scope, headers)
        if refusal is not None:
            if scope["type"] == "websocket":
                await receive()
            await refuse(scope, send, *refusal)
            return
        if scope["type"] == "http":
            await self._app(scope, receive, _with_headers(send))
            return
        async with self._turn:
            await asyncio.sleep(0)
        await self._app(scope, receive, send)

    def _refuse_origin(self, headers: Headers) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if _host_name(host) not in self._hosts:
            return 421, "This server does not answer to that host name.", "Open it by the address that `up` printed."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "Another site's page may not use this server.", ""
        return None

    async def _refuse_stranger(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        """Put the login into the scope. Open paths are answered without one."""
        try:
            login = await self._login(headers)
        except BadRequest as error:
            return 422, error.sentence, error.remedy
        scope.setdefault("state", {})["login"] = login
        if login is not None or not needs_login(scope["path"]):
            return None
        return 401, "You are not logged in.", "Run `outrider login` for a login link."

    async def _login(self, headers: Headers) -> Login | None:
        """Raises BadRequest where an author is named by who may not, or badly."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        named = headers.get(AUTHOR_HEADER)
        if scheme.lower() == "bearer":
            return self._authenticator.owner_login(value.strip(), named_author(named) if named else None)
        if named:
            raise BadRequest("Only the owner's token may speak for another.", f"Leave `{AUTHOR_HEADER}` out.")
        if scheme.lower() == "basic":
            return self._authenticator.owner_login(_basic_password(value))
        cookie = cookie_value(headers)
        return await self._authenticator.cookie_login(cookie) if cookie else None


def needs_login(path: str) -> bool:
    """Whether the path is closed to strangers."""
    return path.startswith(GUARDED_PREFIXES) and path not in (*OPEN_PATHS, *SIGNED_PATHS)


def cookie_value(headers: Headers) -> str | None:
    """The login cookie, where there is one that can be read."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if morsel is None else morsel.value


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _basic_password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
