"""HTTP/1.1 on a Unix socket for one door, by uvicorn's protocol class alone: no signal handlers, no process of its own.

The client is hostile: heads are bounded in size and time, connections in number, calls in time.
"""

import asyncio
from asyncio import TimerHandle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from outrider.broker.conversations import Conversations

CONNECTION_LIMIT = 64
HEAD_LIMIT = 64 << 10
"""Bytes of a request line with its headers."""
HEAD_SECONDS = 30.0
"""How long a client may take to send a head, from connecting or from its first byte."""
KEEP_ALIVE_SECONDS = 75
CALL_SECONDS = 2 * 3600.0
"""The longest call: a tool that runs checks."""

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class DoorProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on heads and connections, which it leaves to a proxy in front."""

    _head_bytes = 0
    _head_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many; else wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTION_LIMIT:
            transport.write(_BUSY)
            transport.close()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer too."""
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what a head has taken so far: the parser would gather an endless one."""
        if self.cycle is None or self.cycle.response_complete:
            self._expect_head()
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """A request starts."""
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._head_arrived()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


@asynccontextmanager
async def serve_http(app: ASGIApp, path: Path) -> AsyncIterator[None]:
    """Answer HTTP on `path` as long as the context lives; then calls are cancelled and connections closed."""
    calls, state = Conversations(CALL_SECONDS), ServerState()
    config = _config(_bounded(app, calls))
    server = await asyncio.get_running_loop().create_unix_server(lambda: DoorProtocol(config, state, {}), path=path)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            cast("DoorProtocol", connection).transport.abort()
        await calls.end()


def _config(app: ASGIApp) -> Config:
    config = Config(
        cast("Any", app),
        http=DoorProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    return config


def _bounded(app: ASGIApp, calls: Conversations) -> ASGIApp:
    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        async with calls.one():
            await app(scope, receive, send)

    return bounded
