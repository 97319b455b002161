"""The wire to the benchmarks' own server: a line asked, a line answered. See `benchmarks.feed_server`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

ANSWER_SECONDS = 620


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path) -> AsyncIterator[Self]:
        """To the server of this home."""
        reader, writer = await asyncio.open_unix_connection(home / "wire")
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def ask(self, *words: object) -> bytes:
        """Ask, and wait for the answer."""
        self._writer.write(" ".join(map(str, words)).encode() + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._reader.readline()
        assert line, "the server ended"
        return line
