"""The stream of a command in a container, as a plain socket.

Docker sends stdout and stderr of a command in frames on one connection. Here the frames are taken off by callbacks, so
that the other end is a socket like any other and no task is needed that someone would have to own.
"""

import asyncio
import socket
from typing import cast

HEADER_BYTES = 8
STDOUT = 1


class _End(asyncio.Protocol):
    """One end of a splice: what comes in goes out at the other, no faster than that is read."""

    def __init__(self) -> None:
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.send(data)

    def send(self, data: bytes) -> None:
        """To the other end."""
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Our end never closes half: what it has sent is passed on, and both are closed."""
        return False

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.transport = None
        if self.other and self.other.transport:
            self.other.transport.close()


class _Framed(_End):
    """Docker's end: takes the headers off, and drops what is not stdout. When the command has ended so has the stream:
    nothing that is still sent would be read."""

    def __init__(self) -> None:
        super().__init__()
        self._header = b""
        self._left = 0
        self._kept = False

    def data_received(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if self._left == 0:
                wanted = HEADER_BYTES - len(self._header)
                self._header += bytes(view[:wanted])
                view = view[wanted:]
                if len(self._header) < HEADER_BYTES:
                    return
                self._kept = self._header[0] == STDOUT
                self._left = int.from_bytes(self._header[4:], "big")
                self._header = b""
                continue
            piece, view = view[: self._left], view[self._left :]
            self._left -= len(piece)
            if self._kept:
                self.send(bytes(piece))


async def splice(stream: socket.socket, already: bytes) -> socket.socket:
    """A socket whose other end is the command behind `stream`; `already` are bytes that were read from it too early.
    Both are closed when either ends."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    loop = asyncio.get_running_loop()
    framed, plain = _Framed(), _End()
    framed.other, plain.other = plain, framed
    try:
        await loop.create_connection(lambda: plain, sock=theirs)
        await loop.create_connection(lambda: framed, sock=stream)
    except BaseException:
        ours.close()
        raise
    if already:
        framed.data_received(already)
    return ours
