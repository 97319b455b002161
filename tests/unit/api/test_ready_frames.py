"""A frame that is sent at once: only where the server takes it without waiting, and never twice, late or to nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from outrider.api.ready_frames import ReadyFrames, SendReady, send_ready

LONG = b"x" * 100_000


class App:
    """Accepts one client, and lets the test send to it."""

    def __init__(self) -> None:
        self.there = asyncio.Event()
        self.left = asyncio.Event()
        self.ready: SendReady
        self.send: Send

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = send_ready(scope)
        assert found is not None
        self.ready, self.send = found, send
        await receive()
        assert not self.ready(b"before the handshake")
        await send({"type": "websocket.accept"})
        self.there.set()
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self.left.set()


@asynccontextmanager
async def client_of(app: App) -> AsyncIterator[ClientConnection]:
    config = uvicorn.Config(app, log_config=None, ws_per_message_deflate=False)
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: ReadyFrames(config, ServerState(), {}), "127.0.0.1", 0
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", max_queue=1, compression=None) as client:
            await app.there.wait()
            yield client


@pytest.fixture
def app() -> App:
    return App()


async def test_both_ways_of_sending_keep_their_order(app: App) -> None:
    async with client_of(app) as client:
        assert app.ready(b"one")
        await app.send({"type": "websocket.send", "text": "two"})
        assert app.ready(b"three")
        assert app.ready(LONG)
        assert [await client.recv() for _ in range(4)] == ["one", "two", "three", LONG.decode()]


async def test_nothing_is_taken_while_the_socket_is_full(app: App) -> None:
    async with client_of(app) as client:
        taken = 0
        while app.ready(LONG):
            taken += 1
        assert not app.ready(b"refused")
        waiting = asyncio.ensure_future(app.send({"type": "websocket.send", "text": "last"}))
        assert {len(await client.recv()) for _ in range(taken)} == {len(LONG)}
        await waiting
        assert await client.recv() == "last"
        assert app.ready(b"again")
        assert await client.recv() == "again"


async def test_nothing_is_sent_to_a_client_that_is_gone(app: App) -> None:
    async with client_of(app) as client:
        await client.close()
        await app.left.wait()
        assert not app.ready(b"{}")


async def test_nothing_is_sent_after_the_end(app: App) -> None:
    async with client_of(app) as client:
        await app.send({"type": "websocket.close", "code": 4409})
        assert not app.ready(b"{}")
        with pytest.raises(ConnectionClosed) as ended:
            await client.recv()
    assert ended.value.rcvd
    assert ended.value.rcvd.code == 4409


def test_a_server_that_cannot_says_so() -> None:
    assert send_ready({"type": "websocket"}) is None
