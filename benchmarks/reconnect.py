"""Clients that attach as cheaply as one process in Python can: 100 of them at once must not measure themselves."""

import asyncio
import json
import struct
import time
from dataclasses import dataclass

from benchmarks.floors.feed_peers import upgrade
from outrider.model.ids import SessionId
from tests.e2e.deployment import Deployment

LIVE = b'{"kind":"live"'
READ_BYTES = 1 << 20
STORM_SECONDS = 60

_SHORT, _LONG = 126, 127


@dataclass(frozen=True, slots=True)
class Storm:
    """Many clients that came at once."""

    last_ms: float
    """From before the first connection to when the last client is live."""
    bytes: int


async def storm(deployment: Deployment, session: SessionId, *, clients: int, after: int, newest: int) -> Storm:
    """So many clients attach at once after an event. Raises AssertionError for a gap or anything twice."""
    port = int(deployment.server.url.rpartition(":")[2])
    request = upgrade(
        f"/api/sessions/{session}/feed?after={after}",
        f"localhost:{port}",
        Authorization=f"Bearer {deployment.home.token()}",
    ).encode()
    started = time.perf_counter()
    async with asyncio.timeout(STORM_SECONDS), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_attach(port, request), name="client") for _ in range(clients)]
    last = (time.perf_counter() - started) * 1000
    answers = [task.result() for task in running]
    for answer in answers:
        assert numbers_in(answer) == list(range(after + 1, newest + 1)), "a gap, or an event twice"
    return Storm(last, sum(map(len, answers)))


async def _attach(port: int, request: bytes) -> bytearray:
    """Everything that the server sends up to and with `live`, without the answer to the request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ_BYTES)
    try:
        writer.write(request)
        status = await reader.readuntil(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 101"), status
        heard, looked = bytearray(), 0
        while heard.find(LIVE, looked) < 0:
            looked = max(len(heard) - len(LIVE), 0)
            data = await reader.read(READ_BYTES)
            assert data, "the server closed the feed"
            heard += data
        return heard
    finally:
        writer.close()


def numbers_in(heard: bytes | bytearray) -> list[int]:
    """The numbers of the events in a server's frames, in their order."""
    return [
        recorded["seq"]
        for frame in frames_in(heard)
        if frame.startswith(b'{"kind":"events"')
        for recorded in json.loads(frame)["events"]
    ]


def frames_in(heard: bytes | bytearray) -> list[bytes]:
    """The whole WebSocket frames of a server in what came: not masked, not split, not packed."""
    frames, at = [], 0
    while at + 2 <= len(heard):
        size, head = heard[at + 1], 2
        if size == _SHORT:
            (size,), head = struct.unpack_from(">H", heard, at + 2), 4
        elif size == _LONG:
            (size,), head = struct.unpack_from(">Q", heard, at + 2), 10
        if at + head + size > len(heard):
            break
        frames.append(bytes(heard[at + head : at + head + size]))
        at += head + size
    return frames
