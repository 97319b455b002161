"""B5: one session to 1,000 clients, 100 sessions to 10 each, a flood, and clients that never read; beside a C program
that only calls `write()`, Node's `ws` and the `websockets` library. Clients are a program in C."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.figures import Figure, median
from benchmarks.floors.feed_peers import (
    Clients,
    Published,
    Received,
    Talker,
    built,
    clients,
    node_ws,
    python_websockets,
    talking,
    upgrade,
)
from benchmarks.product import feed_server, fresh_home
from benchmarks.sessions import names_of, write_session
from benchmarks.wire import Wire
from outrider.model.ids import SessionId
from tests.e2e.deployment import Deployment

NAME = "B5 fan-out"
VIEWERS = 1000
SESSIONS, EACH = 100, 10
RATE_US = 100_000
BYTES = 300
FLOOD = 100
LONG = 4000
"""Bytes of an event in the round with clients that never read: what the kernel holds for them is soon full."""
STUCK_EVENTS, STUCK_US = 2500, 3000
WAIT_SECONDS = 30

CPU_TIMES, FLOOD_TIMES, STUCK_TIMES = 3.2, 0.7, 1.2


class Server(Protocol):
    """Whatever fans out."""

    port: int

    async def publish(self, events: int, pause_us: int, size: int) -> Published:
        """Have so many events sent to all clients."""


@dataclass
class _Peer:
    port: int
    talker: Talker

    async def publish(self, events: int, pause_us: int, size: int) -> Published:
        self.talker.write(events, pause_us, size)
        return Published.parse(await self.talker.read())


@dataclass
class _Ours:
    port: int
    wire: Wire
    sessions: int = 1

    async def publish(self, events: int, pause_us: int, size: int) -> Published:
        return Published.parse(await self.wire.ask("publish", events, pause_us, size, self.sessions))


@dataclass(frozen=True)
class _Round:
    """One round with one server."""

    published: Published
    received: Received

    @property
    def cpu_us(self) -> float:
        """Processor time of the server for each delivery."""
        return self.published.cpu_us / max(self.received.deliveries, 1)

    @property
    def rate(self) -> float:
        """Deliveries a second, from the first event to the last delivery."""
        return self.received.deliveries / ((self.received.last_ns - self.published.first_ns) / 1e9)


async def fan_out(*, quick: bool) -> list[Figure]:
    """Run it. Without a C compiler nothing is run."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        program, floor = built("feed_clients.c", folder), built("feed_floor.c", folder)
        if program is None or floor is None:
            return [Figure(NAME, "no C compiler here", None, "µs", None, "C write()", "", None)]
        home = Path(stack.enter_context(fresh_home()))
        names = names_of(SESSIONS)
        for name in names:
            write_session(home / "sessions", name, 1)
        deployment = await stack.enter_async_context(feed_server(home))
        wire = await stack.enter_async_context(Wire.open(home))
        bench = _Bench(program, deployment, names, wire, 1 if quick else 3)
        node = await asyncio.to_thread(node_ws, folder)
        peers: dict[str, Sequence[str] | None] = {
            "C write()": (str(floor),),
            "Node ws": node,
            "websockets broadcast": python_websockets(),
        }
        return await bench.run(peers, events=20 if quick else 50, stuck=STUCK_EVENTS)


class _Bench:
    """Every round, ours in turn with the others."""

    def __init__(self, program: Path, deployment: Deployment, names: list[SessionId], wire: Wire, repeats: int) -> None:
        self._program = program
        self._deployment = deployment
        self._names = names
        self._wire = wire
        self._repeats = repeats

    async def run(self, peers: dict[str, Sequence[str] | None], *, events: int, stuck: int) -> list[Figure]:
        """All of them."""
        paced: dict[str, list[_Round]] = {name: [] for name in ("ours", *peers)}
        floods: dict[str, list[_Round]] = {name: [] for name in ("ours", *peers)}
        for _ in range(self._repeats):
            for name, argv in (("ours", ()), *peers.items()):
                if argv is None:
                    continue
                async with (
                    self._server(argv) as (server, requests),
                    clients(self._program, server.port, requests) as many,
                ):
                    paced[name].append(await _round(server, many, events, RATE_US, BYTES))
                    floods[name].append(await _round(server, many, FLOOD, 0, BYTES))
        grid = await self._grid(events)
        free, held = await self._stuck(stuck, 0), await self._stuck(stuck, 20)
        return [
            *_one_session(paced, events),
            *_floods(floods),
            _grid_figure(grid, events),
            *_stuck_figures(free, held, stuck),
        ]

    async def _grid(self, events: int) -> _Round:
        requests = [request for name in self._names for request in [self._request(name)] * EACH]
        server = _Ours(self._port, self._wire, SESSIONS)
        async with clients(self._program, server.port, requests) as many:
            return await _round(server, many, events, RATE_US, BYTES)

    async def _stuck(self, events: int, every: int) -> _Round:
        """100 clients of one session; with `every`, one of so many never reads."""
        server = _Ours(self._port, self._wire)
        requests = [self._request(self._names[0])] * 100
        async with clients(self._program, server.port, requests, stuck=every) as many:
            sign = -1 if every else 1
            many.listen(sign * events, events * STUCK_US / 1e6 + 3 if every else WAIT_SECONDS)
            published = await server.publish(events, STUCK_US, LONG)
            return _Round(published, await many.received())

    @asynccontextmanager
    async def _server(self, argv: Sequence[str]) -> AsyncIterator[tuple[Server, list[str]]]:
        if not argv:
            yield _Ours(self._port, self._wire), [self._request(self._names[0])] * VIEWERS
            return
        async with talking(*argv) as talker:
            port = int((await talker.read()).split()[1])
            yield _Peer(port, talker), [upgrade("/", f"127.0.0.1:{port}")] * VIEWERS

    @property
    def _port(self) -> int:
        return int(self._deployment.server.url.rpartition(":")[2])

    def _request(self, session: SessionId) -> str:
        bearer = f"Bearer {self._deployment.home.token()}"
        return upgrade(f"/api/sessions/{session}/feed?after=1000000", f"localhost:{self._port}", Authorization=bearer)


async def _round(server: Server, many: Clients, events: int, pause_us: int, size: int) -> _Round:
    many.listen(events, WAIT_SECONDS)
    published = await server.publish(events, pause_us, size)
    return _Round(published, await many.received())


def _one_session(rounds: dict[str, list[_Round]], events: int) -> list[Figure]:
    """CPU beside the floor, and delays."""
    workload = f"1 session x {VIEWERS} clients, {events} events of {BYTES} bytes, 10 a second"
    floor = median([one.cpu_us for one in rounds["C write()"]])
    figures = []
    for name, done in rounds.items():
        if not done:
            figures.append(Figure(f"{NAME}, {name}", "not to be had here", None, "µs", floor, "C write()", "", None))
            continue
        ours, cpu = name == "ours", median([one.cpu_us for one in done])
        target = f"<= {CPU_TIMES} x" if ours else ""
        ok = cpu <= CPU_TIMES * floor if ours else None
        figures.append(Figure(f"{NAME}, CPU a delivery, {name}", workload, cpu, "µs", floor, "C write()", target, ok))
    for what, attribute in (("p50", "p50_us"), ("p99", "p99_us")):
        delays = {
            name: median([getattr(one.received, attribute) for one in done]) for name, done in rounds.items() if done
        }
        beside = delays["C write()"] / 1000
        figures.append(
            Figure(f"{NAME}, delay {what}", workload, delays["ours"] / 1000, "ms", beside, "C write()", "", None)
        )
    assert all(one.received.fewest == events for one in rounds["ours"]), "a client of ours has missed an event"
    return figures


def _floods(rounds: dict[str, list[_Round]]) -> list[Figure]:
    workload = f"1 session x {VIEWERS} clients, {FLOOD} events at once"
    rates = {name: median([one.rate for one in done]) for name, done in rounds.items() if done}
    assert all(one.received.fewest == FLOOD for one in rounds["ours"]), "a client of ours has missed an event"
    figures = []
    for name in ("Node ws", "websockets broadcast", "C write()"):
        beside = rates.get(name)
        judged = name == "Node ws" and beside is not None
        ok = rates["ours"] >= FLOOD_TIMES * (beside or 0) if judged else None
        target = f">= {FLOOD_TIMES} x" if judged else ""
        figures.append(Figure(f"{NAME}, flood", workload, rates["ours"], "/s", beside, name, target, ok))
    return figures


def _grid_figure(grid: _Round, events: int) -> Figure:
    tail = grid.received.p99_us / 1000
    workload = f"{SESSIONS} sessions x {EACH} clients, {events} events each, 10 a second; p99 {tail:.1f} ms"
    assert grid.received.fewest == events, "a client of ours has missed an event"
    return Figure(f"{NAME}, 100 x 10, delay p50", workload, grid.received.p50_us / 1000, "ms", None, "", "", None)


def _stuck_figures(free: _Round, held: _Round, events: int) -> list[Figure]:
    workload = f"100 clients, {events} events of {LONG} bytes, one every {STUCK_US / 1000:g} ms; 5 clients never read"
    ours, beside = held.received.p99_us / 1000, free.received.p99_us / 1000
    told = held.received.resynced
    return [
        Figure(f"{NAME}, clients that never read, p99 of the others", workload, ours, "ms", beside, "all read",
               f"<= {STUCK_TIMES} x", ours <= STUCK_TIMES * beside),
        Figure(f"{NAME}, clients that never read, told to attach again", workload, float(told), "", 5.0, "of", "all",
               told == 5 and held.received.fewest == events),
    ]  # fmt: skip
