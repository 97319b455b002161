"""B7: 2,000 sessions that sleep, 500 of them watched; each is woken and stores one event, three times over. Beside it:
a bare sqlite3 that opens the same file, reads its newest events and closes it, and a server that has no session."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, median, percentile, progress
from benchmarks.floors import sqlite_loop
from benchmarks.floors.feed_peers import built, clients, upgrade
from benchmarks.product import feed_server, fresh_home, more_files
from benchmarks.sessions import names_of, write_session
from benchmarks.stalls import Stalls
from benchmarks.wire import Wire
from outrider.model.ids import SessionId
from outrider.storage.session_log import FILE_NAME
from tests.e2e.deployment import Deployment

NAME = "B7 hibernate-wake"
SESSIONS, WATCHED = 2000, 500
EVENTS = 20
CYCLES = 3
WAKE_P50_MS, WAKE_P99_MS, GROWTH = 5.0, 20.0, 0.02
AWAKE = 0
"""None stays awake: what a sleeping session costs is not hidden behind those that rest in memory."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a server holds, in bytes and open files."""

    memory: int
    files: int

    @classmethod
    async def of(cls, wire: Wire) -> "Size":
        """The server's, once all its sessions sleep."""
        await wire.ask("rest", AWAKE)
        memory, files = (await wire.ask("size")).split()
        return cls(int(memory), int(files))


@dataclass(slots=True)
class Course:
    """What was measured from the start of the server on."""

    empty: Size
    """Another server that has no session at all."""
    asleep: Size
    """Before the first woke, and nobody has been attached yet."""
    before: Size = Size(0, 0)
    """After a cycle for warming up, and nobody attached: what clients and wakes need once is there."""
    wakes: list[float] = field(default_factory=list)
    """In ms, each from asleep to one event stored."""
    floor: list[float] = field(default_factory=list)
    """In ms, each a file opened, looked at and closed."""
    cycles: list[Size] = field(default_factory=list)
    """After each, with those attached who watch."""
    after: Size = Size(0, 0)
    """After the last, and nobody attached any more."""


async def hibernate(*, quick: bool) -> list[Figure]:
    """Run it. Without a C compiler no session is watched."""
    count, watched = (400, 100) if quick else (SESSIONS, WATCHED)
    names, stalls = names_of(count), Stalls()
    limit = more_files()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        home = Path(stack.enter_context(fresh_home()))
        for name in names:
            await asyncio.to_thread(write_session, home / "sessions", name, EVENTS)
        program = built("feed_clients.c", folder)
        progress("B7: a server without sessions, and one that sees them for the first time")
        empty = await _empty()
        async with _serving(home) as (_, wire):
            await wire.ask("rest", AWAKE)
        progress("B7: waking")
        async with _serving(home) as (deployment, wire), stalls.watching(deployment):
            course = Course(empty, await Size.of(wire))
            async with _watching(program, deployment, names[:watched]):
                await _wake_all(names, wire)
            course.before = await Size.of(wire)
            async with _watching(program, deployment, names[:watched]):
                await _cycles(home, names, wire, course)
            course.after = await Size.of(wire)
    workload = f"{count} sessions, {watched if program else 0} watched, {CYCLES} times, at most {limit} open files"
    return [*wake_figures(workload, course), *size_figures(workload, course), stalls.figure(NAME)]


async def _empty() -> Size:
    with fresh_home() as home:
        async with _serving(home) as (_, wire):
            return await Size.of(wire)


@asynccontextmanager
async def _serving(home: Path) -> AsyncIterator[tuple[Deployment, Wire]]:
    async with feed_server(home, AWAKE) as deployment, Wire.open(home) as wire:
        yield deployment, wire


@asynccontextmanager
async def _watching(program: Path | None, deployment: Deployment, names: list[SessionId]) -> AsyncIterator[None]:
    """A client of each of these, where there is a program for it."""
    async with AsyncExitStack() as attached:
        if program is not None:
            requests = [_request(deployment, name) for name in names]
            port = int(deployment.server.url.rpartition(":")[2])
            await attached.enter_async_context(clients(program, port, requests))
        yield


async def _wake_all(names: list[SessionId], wire: Wire) -> list[float]:
    """Each once, in random order. How long each took, in ms."""
    wakes = [float(await wire.ask("wake", name)) / 1000 for name in random.sample(names, len(names))]
    await wire.ask("rest", AWAKE)
    return wakes


async def _cycles(home: Path, names: list[SessionId], wire: Wire, course: Course) -> None:
    for _ in range(CYCLES):
        course.wakes += await _wake_all(names, wire)
        for name in names[:: len(names) // 100]:
            seconds = await asyncio.to_thread(sqlite_loop.glance, home / "sessions" / name / FILE_NAME)
            course.floor.append(seconds * 1000)
        course.cycles.append(await Size.of(wire))


def wake_figures(workload: str, course: Course) -> list[Figure]:
    """How soon a session has woken."""
    beside, wakes, floor = "bare sqlite3 open and select", course.wakes, course.floor
    p50, p99 = median(wakes), percentile(wakes, 99)
    return [
        Figure(f"{NAME}, asleep to one event stored, p50", workload, p50, "ms", median(floor), beside,
               f"<= {WAKE_P50_MS:g} ms", p50 <= WAKE_P50_MS),
        Figure(f"{NAME}, asleep to one event stored, p99", workload, p99, "ms", percentile(floor, 99), beside,
               f"<= {WAKE_P99_MS:g} ms", p99 <= WAKE_P99_MS),
    ]  # fmt: skip


def size_figures(workload: str, course: Course) -> list[Figure]:
    """What sleeping sessions hold, and whether it grows."""
    first, last = course.cycles[0], course.cycles[-1]
    return [
        _kept(f"{NAME}, memory with all asleep", workload, course.asleep, course.empty, "a server without sessions"),
        _kept(f"{NAME}, memory after the last cycle, all attached", workload, last, first, "after the first"),
        _kept(f"{NAME}, memory after the last cycle, nobody attached", workload, course.after, course.before,
              "before the first"),
        Figure(f"{NAME}, open files after the last cycle", workload, float(last.files), "", float(first.files),
               "after the first", "as many", last.files <= first.files),
        Figure(f"{NAME}, open files, nobody attached", workload, float(course.after.files), "",
               float(course.before.files), "before the first", "as many", course.after.files <= course.before.files),
    ]  # fmt: skip


def _kept(name: str, workload: str, ours: Size, beside: Size, beside_name: str) -> Figure:
    """Memory that is to stay as it was, in both directions: less would say that the first was measured too early."""
    near = abs(ours.memory - beside.memory) <= beside.memory * GROWTH
    return Figure(name, workload, ours.memory / 1e6, "MB", beside.memory / 1e6, beside_name, f"+- {GROWTH:.0%}", near)


def _request(deployment: Deployment, session: SessionId) -> str:
    port = deployment.server.url.rpartition(":")[2]
    bearer = f"Bearer {deployment.home.token()}"
    return upgrade(f"/api/sessions/{session}/feed?after=1000000", f"localhost:{port}", Authorization=bearer)
