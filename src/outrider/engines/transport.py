"""ACP's messages over the stdin and stdout of a process in the guest: one JSON object a line, bounded."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from outrider.model.errors import EngineError, SandboxLost
from outrider.ports.sandbox import Process

LINE_LIMIT_BYTES = 8 << 20
"""Longest line that an engine may write. Images go by file, so that a line is text: a big file read or written."""

STRAY_LINES_LIMIT = 20
"""Lines that are no message are dropped up to this many: engines print banners and warnings on stdout."""


class ProcessTransport:
    """What the ACP library reads from and writes to, in place of streams.

    The library drops what it cannot read with a log line, so bytes become messages here, where too much of either is
    an error. What ended the stream, if anything did, is kept in `broken`. Notifications go straight to `notified`, in
    the engine's order and before the answer that follows them; the library would give each a task of its own.
    """

    def __init__(self, process: Process, notified: Callable[[str, Any], None]) -> None:
        self.broken: EngineError | SandboxLost | None = None
        self._process = process
        self._notified = notified
        self._messages = self._read()

    async def send(self, message: dict[str, Any]) -> None:
        """Write one message. Raises SandboxError where the engine reads no more."""
        await self._process.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    async def receive(self) -> dict[str, Any] | None:
        """The next request or answer, or None at the end."""
        try:
            return await anext(self._messages, None)
        except (EngineError, SandboxLost) as error:
            self.broken = error
            return None

    async def close(self) -> None:
        """Nothing to close: the process is ended by its owner."""

    async def _read(self) -> AsyncIterator[dict[str, Any]]:
        stray = 0
        async with aclosing(_lines(self._process.stdout())) as lines:
            async for line in lines:
                message = _message(line)
                if message is None:
                    stray += 1
                    if stray > STRAY_LINES_LIMIT:
                        raise EngineError(f"The engine wrote {stray} lines that are no ACP message.")
                elif "id" in message:
                    yield message
                else:
                    self._notified(str(message.get("method")), message.get("params"))


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Whole lines. Raises EngineError where one is too long."""
    rest = bytearray()
    async for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        for line in whole:
            yield bytes(rest + line)
            rest.clear()
        rest += last
        if len(rest) > LINE_LIMIT_BYTES:
            raise EngineError(f"The engine wrote a line of more than {LINE_LIMIT_BYTES >> 20} MB.")


def _message(line: bytes) -> dict[str, Any] | None:
    """A JSON object, or None where it is none. An empty line is an empty notification."""
    if not line.strip():
        return {}
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
