"""Connections from a port in the guest to a Unix socket of ours."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import asyncssh

MAX_CONNECTIONS = 256
"""Connections that one forwarded port may have open: an engine uses a handful, a parallel `npm ci` about fifty."""

CHUNK_BYTES = 1 << 16


Splice = Callable[["asyncssh.SSHReader[bytes]", "asyncssh.SSHWriter[bytes]"], Awaitable[None]]


class Forwarder:
    """Takes the connections of one forwarded port."""

    def __init__(self, socket_path: Path) -> None:
        self._path = str(socket_path)
        self._open = 0

    def accept(self, _host: str, _port: int) -> "Splice":
        """Called for each connection; refuses those beyond the limit."""
        if self._open >= MAX_CONNECTIONS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "too many connections")
        return self._splice

    async def _splice(self, reader: "asyncssh.SSHReader[bytes]", writer: "asyncssh.SSHWriter[bytes]") -> None:
        self._open += 1
        try:
            ours_in, ours_out = await asyncio.open_unix_connection(self._path)
            with closing(ours_out):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pump(reader, ours_out), name="forward-out")
                    group.create_task(_pump(ours_in, writer), name="forward-in")
        except* (OSError, asyncssh.Error):
            # One of the two sides is gone, or nobody listens: the other side sees its connection end, as with TCP.
            writer.close()
        finally:
            self._open -= 1
            writer.close()


async def _pump(
    source: "asyncio.StreamReader | asyncssh.SSHReader[bytes]",
    sink: "asyncio.StreamWriter | asyncssh.SSHWriter[bytes]",
) -> None:
    while data := await source.read(CHUNK_BYTES):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
