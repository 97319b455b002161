"""A frame that many clients get is made ready for the wire once: an extension of the ASGI server for WebSockets.

Through ASGI's `send` each client costs a message, a step of a coroutine and a frame of its own: as much again as the
system's `write()`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import cast

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

EXTENSION = "outrider.ready_frame"

SendReady = Callable[[bytes], bool]
"""Sends a text where the server takes it without waiting; whether it did."""


def send_ready(scope: Scope) -> SendReady | None:
    """How to send to this client at once; None where the server cannot."""
    offered = scope.get("extensions", {}).get(EXTENSION)
    return cast("SendReady", offered["send"]) if offered else None


class ReadyFrames(WebSocketsSansIOProtocol):
    """uvicorn's protocol with the extension. Nothing is compressed, so one frame fits all."""

    async def run_asgi(self) -> None:
        """Offer it to the application."""
        self.scope["extensions"][EXTENSION] = {"send": self.send_ready}
        await super().run_asgi()

    def send_ready(self, text: bytes) -> bool:
        """Not while the client's socket is full, nor once either side has begun to close. Raises nothing: other clients
        come after this one."""
        leaving = self.close_sent or self.disconnected or self.conn.state is not State.OPEN
        if leaving or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(_framed(text))
        return True


@lru_cache(maxsize=1)
def _framed(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)
