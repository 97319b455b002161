"""The terminal as a client of a server: REST by httpx, the feed by one WebSocket. On the loopback no proxy of the
machine is asked."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from outrider.api.auth import AUTHOR_HEADER, COOKIE, author_header
from outrider.cli.links import is_loopback
from outrider.model.errors import BadRequest, LimitReached, NotAllowed, NotFound, OutriderError, Refused
from outrider.model.ids import PromptId, SessionId, new_id
from outrider.model.person import Person

REQUEST_SECONDS = 30
IMPORT_SECONDS = 1800
"""Longest silence while a repository is brought in: a gigabyte over a slow line."""

MAX_FRAME_BYTES = 256 << 20
"""A page of 500 events with the longest texts. The server is our own; this guards against a mistake."""

CLOSE_RESYNC = 4409
"""The server dropped what we were too slow for: attach again."""

BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)
"""The connection ended before the answer had come whole. Whether the request was carried out is not known."""

Body = dict[str, Any] | AsyncIterator[bytes]

_KINDS = {
    403: NotAllowed,
    404: NotFound,
    409: Refused,
    413: LimitReached,
    422: BadRequest,
    429: LimitReached,
}


class NotLoggedIn(OutriderError):
    """The server does not know the login, or does not any more."""


class ServerGone(OutriderError):
    """The server does not answer any more."""


def as_owner(token: str, person: Person) -> dict[str, str]:
    """The headers of the deployment's owner, who is this person."""
    return {"Authorization": f"Bearer {token}", AUTHOR_HEADER: author_header(person)}


def logged_in(token: str) -> dict[str, str]:
    """The headers of a person's login."""
    return {"Cookie": f"{COOKIE}={token}"}


class Client:
    """One server, in one person's name: that of whose headers these are."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self._headers = dict(headers)
        self._far = not is_loopback(urlsplit(url).hostname or "")
        self.http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=REQUEST_SECONDS, trust_env=self._far, follow_redirects=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    def move_to(self, url: str) -> None:
        """The same server, started again elsewhere."""
        self.url = url
        self.http.base_url = httpx.URL(url)

    async def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return (await self.http.get("/api/health")).is_success
        except httpx.TransportError:
            return False

    async def session(self, session: SessionId) -> dict[str, Any]:
        """One session as it is now. Raises NotFound."""
        return await self.ask("GET", f"/api/sessions/{session}")

    async def import_repository(self, source: str, say: Callable[[str], None]) -> str:
        """Bring a repository in or up to date, telling how far it is, and return its name. Raises what the server
        refuses it for."""
        told: dict[str, Any] = {}
        async with self.stream("POST", "/api/repositories/import", {"source": source}, IMPORT_SECONDS) as answer:
            async for line in answer.aiter_lines():
                told = json.loads(line)
                if "progress" in told:
                    say(str(told["progress"]))
        if "problem" in told:
            raise BadRequest(**told["problem"])
        return str(told["repository"]["name"])

    async def start_session(self, wanted: dict[str, Any]) -> SessionId:
        """Start a session with its first prompt. Raises what the server refuses it for."""
        body = {**wanted, "key": wanted.get("key") or new_key()}
        return SessionId((await self.ask("POST", "/api/sessions", body, timeout=IMPORT_SECONDS))["session"])

    async def queue_prompt(
        self, session: SessionId, text: str, files: Sequence[dict[str, Any]] = (), key: str | None = None
    ) -> PromptId:
        """Queue a prompt with files that were uploaded. The same key again is the same prompt."""
        body = {"text": text, "attachments": list(files), "key": key or new_key()}
        return PromptId((await self.ask("POST", f"/api/sessions/{session}/prompts", body))["prompt"])

    async def stop(self, session: SessionId, *, children: bool = False) -> None:
        """Stop the running turn; with `children` also those of the sessions that it started, and of theirs."""
        await self.ask("POST", f"/api/sessions/{session}/stop", {"children": children})

    async def result(self, session: SessionId) -> dict[str, Any]:
        """What came of the session. Raises Refused while it is at work."""
        return await self.ask("GET", f"/api/sessions/{session}/result")

    async def login_link(self, page: str = "/", person: Person | None = None, role: str | None = None) -> str:
        """A link that logs a browser in once and leads to the page."""
        body = {"person": person.model_dump() if person else None, "role": role}
        url = str((await self.ask("POST", "/api/login-links", body))["url"])
        return url if page == "/" else f"{url}?to={page}"

    @asynccontextmanager
    async def feed(self, session: SessionId, after: int) -> AsyncIterator[AsyncIterator[str]]:
        """The frames of a session's feed after an event number, until the server wants us to attach again. Raises
        ServerGone when the connection breaks."""
        url = f"ws{self.url.removeprefix('http')}/api/sessions/{session}/feed?client=terminal&after={after}"
        options: dict[str, Any] = {"compression": None, "max_size": MAX_FRAME_BYTES, "proxy": self._far or None}
        try:
            async with connect(url, additional_headers=self._headers, **options) as socket:
                yield (frame if isinstance(frame, str) else frame.decode() async for frame in socket)
        except InvalidStatus as error:
            raise refusal(error.response.status_code, bytes(error.response.body)) from error
        except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError) as error:
            if not (isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code == CLOSE_RESYNC):
                raise ServerGone("The connection to the server ended.") from error

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout: float = REQUEST_SECONDS
    ) -> AsyncIterator[httpx.Response]:
        """An answer to be read piece by piece. Raises as `ask`."""
        try:
            async with self.http.stream(method, path, json=body, timeout=timeout) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refusal(answer.status_code, answer.content)
                yield answer
        except httpx.TransportError as error:
            raise gone(self.url) from error

    async def ask(
        self, method: str, path: str, body: Body | None = None, *, timeout: float = REQUEST_SECONDS
    ) -> dict[str, Any]:
        """The server's answer to any request, whose body is an object or bytes. One with a key is sent once more where
        the connection broke before the answer came: it is carried out once. Raises what the server refuses it for,
        ServerGone without an answer."""
        sent: Any = {"json": body} if isinstance(body, dict) else {"content": body}
        keyed = isinstance(body, dict) and bool(body.get("key"))
        try:
            try:
                answer = await self.http.request(method, path, **sent, timeout=timeout)
            except BROKEN:
                if not keyed:
                    raise
                answer = await self.http.request(method, path, **sent, timeout=timeout)
        except httpx.TransportError as error:
            raise gone(self.url) from error
        if answer.is_success:
            return answer.json() if answer.content else {}
        raise refusal(answer.status_code, answer.content)


def new_key() -> str:
    """A key for one request, by which it can be sent again and is carried out once."""
    return new_id("key", 20)


def gone(url: str) -> ServerGone:
    """Nothing answers there."""
    if is_loopback(urlsplit(url).hostname or ""):
        return ServerGone("The server does not answer.", "See `outrider doctor`, and server.log in the home.")
    return ServerGone(f"The server at {url} does not answer.", "Ask who runs it, or try again later.")


def refusal(status: int, body: bytes) -> OutriderError:
    """What an answer that is no success says."""
    if status == httpx.codes.UNAUTHORIZED:
        return NotLoggedIn("You are not logged in there any more.", "Ask for a fresh link, and: outrider join")
    kind = _KINDS.get(status, OutriderError)
    try:
        told = json.loads(body)
        return kind(str(told["sentence"]), str(told.get("remedy", "")))
    except (ValueError, KeyError, TypeError):
        return kind(f"The server answered {status}.", "See server.log in the home.")
