"""Sending a frame without a task: only where the server takes it without waiting."""

import asyncio

import pytest
from starlette.types import Message
from uvicorn.protocols.utils import ClientDisconnected

from outrider.api.feed import sent_at_once


class Wire:
    """As uvicorn's: waits before anything else while the socket is full."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.sent: list[Message] = []
        self.gone = False

    async def send(self, message: Message) -> None:
        await self.writable.wait()
        if self.gone:
            raise ClientDisconnected
        self.sent.append(message)


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def test_it_is_sent_where_nothing_has_to_wait(wire: Wire) -> None:
    wire.writable.set()
    assert sent_at_once(wire.send, b"{}")
    assert wire.sent == [{"type": "websocket.send", "text": "{}"}]


async def test_nothing_is_sent_while_the_socket_is_full(wire: Wire) -> None:
    assert not sent_at_once(wire.send, b"{}")
    wire.writable.set()
    await asyncio.sleep(0)
    assert wire.sent == []
    assert sent_at_once(wire.send, b"{}")


async def test_a_client_that_is_gone_harms_nobody(wire: Wire) -> None:
    wire.writable.set()
    wire.gone = True
    assert not sent_at_once(wire.send, b"{}")
