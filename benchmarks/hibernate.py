"""B7: 2,000 sessions that sleep, 500 of them watched; each is woken and stores one event, three times over. Beside it:
a bare sqlite3 that opens the same file, reads its newest events and closes it."""

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.feed_server import AWAKE
from benchmarks.figures import Figure, median, percentile
from benchmarks.floors import sqlite_loop
from benchmarks.floors.feed_peers import built, clients, upgrade
from benchmarks.product import feed_server, fresh_home
from benchmarks.sessions import names_of, write_session
from benchmarks.wire import Wire
from outrider.model.ids import SessionId
from outrider.storage.session_log import FILE_NAME
from tests.e2e.deployment import Deployment

NAME = "B7 hibernate-wake"
SESSIONS, WATCHED = 2000, 500
EVENTS = 20
CYCLES = 3
WAKE_P50_MS, WAKE_P99_MS, GROWTH = 5.0, 20.0, 0.02


async def hibernate(*, quick: bool) -> list[Figure]:
    """Run it. Without a C compiler no session is watched."""
    count, watched = (400, 100) if quick else (SESSIONS, WATCHED)
    names = names_of(count)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        home = Path(stack.enter_context(fresh_home()))
        for name in names:
            await asyncio.to_thread(write_session, home / "sessions", name, EVENTS)
        deployment = await stack.enter_async_context(feed_server(home))
        wire = await stack.enter_async_context(Wire.open(home))
        await wire.ask("rest", AWAKE)
        program = built("feed_clients.c", folder)
        if program is not None:
            requests = [_request(deployment, name) for name in names[:watched]]
            port = int(deployment.server.url.rpartition(":")[2])
            await stack.enter_async_context(clients(program, port, requests))
        return await _cycles(home, names, wire, watched if program else 0)


async def _cycles(home: Path, names: list[SessionId], wire: Wire, watched: int) -> list[Figure]:
    wakes, floor, sizes = list[float](), list[float](), list[tuple[int, int]]()
    for _ in range(CYCLES):
        for name in random.sample(names, len(names)):
            wakes.append(float(await wire.ask("wake", name)) / 1000)
        for name in names[:: len(names) // 100]:
            floor.append(await asyncio.to_thread(sqlite_loop.glance, home / "sessions" / name / FILE_NAME) * 1000)
        await wire.ask("rest", AWAKE)
        memory, files = (await wire.ask("size")).split()
        sizes.append((int(memory), int(files)))
    return _figures(wakes, floor, sizes, f"{len(names)} sessions, {watched} watched, {CYCLES} times")


def _figures(wakes: list[float], floor: list[float], sizes: list[tuple[int, int]], workload: str) -> list[Figure]:
    beside = "bare sqlite3 open and select"
    (first, files), (last, files_last) = sizes[0], sizes[-1]
    p50, p99 = median(wakes), percentile(wakes, 99)
    return [
        Figure(f"{NAME}, asleep to one event stored, p50", workload, p50, "ms", median(floor), beside,
               f"<= {WAKE_P50_MS:g} ms", p50 <= WAKE_P50_MS),
        Figure(f"{NAME}, asleep to one event stored, p99", workload, p99, "ms", percentile(floor, 99), beside,
               f"<= {WAKE_P99_MS:g} ms", p99 <= WAKE_P99_MS),
        Figure(f"{NAME}, memory after the last cycle", workload, last / 1e6, "MB", first / 1e6, "after the first",
               f"+- {GROWTH:.0%}", last <= first * (1 + GROWTH)),
        Figure(f"{NAME}, open files after the last cycle", workload, float(files_last), "", float(files),
               "after the first", "as many", files_last <= files),
    ]  # fmt: skip


def _request(deployment: Deployment, session: SessionId) -> str:
    port = deployment.server.url.rpartition(":")[2]
    bearer = f"Bearer {deployment.home.token()}"
    return upgrade(f"/api/sessions/{session}/feed?after=1000000", f"localhost:{port}", Authorization=bearer)
