"""B5: one session to 1,000 clients, 100 sessions to 10 each, a flood, and clients that never read; beside a C program
that only calls `write()`, Node's `ws` and the `websockets` library. Clients are a program in C."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.fan_out_figures import (
    ACCEPT_MS,
    FLOOR,
    NAME,
    Round,
    cpu_figures,
    delay_figures,
    flood_figures,
    stuck_figures,
)
from benchmarks.figures import Figure, progress
from benchmarks.floors.feed_peers import (
    Clients,
    Published,
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
from benchmarks.stalls import Stalls
from benchmarks.wire import Wire
from outrider.model.ids import SessionId
from tests.e2e.deployment import Deployment

VIEWERS = 1000
SESSIONS, EACH = 100, 10
FEW, FEW_US = 10, 20_000
"""Clients and pace where only the way of an event is timed, not the queue before the last of many clients."""
RATE_US = 100_000
BYTES = 300
FLOOD = 100
LONG = 4000
"""Bytes of an event in the round with clients that never read: what the kernel holds for them is soon full."""
STUCK_EVENTS, STUCK_US = 2500, 3000
WAIT_SECONDS = 30


class Server(Protocol):
    """Whatever fans out."""

    port: int

    async def publish(self, events: int, pause_us: int, size: int) -> Published:
        """Have so many events sent to all clients."""


@dataclass
class _Peer:
    port: int
    talker: Talker
    groups: int = 1
    """Of its clients: each event goes to those of one. Only the program in C knows them."""

    async def publish(self, events: int, pause_us: int, size: int) -> Published:
        self.talker.write(events, pause_us, size, *([self.groups] if self.groups > 1 else []))
        return Published.parse(await self.talker.read())


@dataclass
class _Ours:
    port: int
    wire: Wire
    sessions: int = 1

    async def publish(self, events: int, pause_us: int, size: int) -> Published:
        return Published.parse(await self.wire.ask("publish", events, pause_us, size, self.sessions))


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
        stalls = Stalls()
        async with stalls.watching(deployment):
            figures = await bench.run(str(floor), await asyncio.to_thread(node_ws, folder), events=20 if quick else 50)
        return [*figures, stalls.figure(NAME)]


class _Bench:
    """Every round, ours in turn with the others."""

    def __init__(self, program: Path, deployment: Deployment, names: list[SessionId], wire: Wire, repeats: int) -> None:
        self._program = program
        self._deployment = deployment
        self._names = names
        self._wire = wire
        self._repeats = repeats

    async def run(self, floor: str, node: Sequence[str] | None, *, events: int) -> list[Figure]:
        """All of them."""
        peers = {FLOOR: (floor,), "Node ws": node, "websockets broadcast": python_websockets()}
        progress("B5: one session and many clients, beside the others")
        one, floods = await self._one_session(peers, events)
        progress("B5: many sessions, and one with few clients")
        grid, few = await self._grids(floor, events), await self._few(floor, events)
        progress("B5: clients that never read")
        free, held = await self._stucks()
        paced = f"events of {BYTES} bytes, median of {self._repeats}"
        each = f"{SESSIONS} sessions x {EACH} clients, {events} events each, 10 a second; {paced}"
        single = f"1 session x {VIEWERS} clients, {events} events, 10 a second; {paced}"
        short = f"1 session x {FEW} clients, {events * 5} events, 50 a second; {paced}"
        stuck = f"100 clients, {STUCK_EVENTS} events of {LONG} bytes, one every {STUCK_US / 1000:g} ms; 5 never read"
        return [
            *cpu_figures("", single, one),
            *delay_figures("delay ", single, one),
            *flood_figures(f"1 session x {VIEWERS} clients, {FLOOD} events at once; {paced}", floods),
            *cpu_figures("100 x 10, ", each, grid),
            *delay_figures("100 x 10, delay ", each, grid),
            *delay_figures("accepted until a client has it, ", short, few, ACCEPT_MS),
            *stuck_figures(stuck, free, held, STUCK_EVENTS),
        ]

    async def _one_session(
        self, peers: dict[str, Sequence[str] | None], events: int
    ) -> tuple[dict[str, list[Round]], dict[str, list[Round]]]:
        """Many clients of one session, at a pace and in a flood."""
        paced: dict[str, list[Round]] = {name: [] for name in ("ours", *peers)}
        floods: dict[str, list[Round]] = {name: [] for name in ("ours", *peers)}
        requests = [self._request(self._names[0])] * VIEWERS
        for _ in range(self._repeats):
            for name, argv in (("ours", ()), *peers.items()):
                if argv is not None:
                    undelivered = 0.0 if argv else await self._undelivered(events, 1)
                    async with self._server(argv, requests) as (server, many):
                        paced[name].append(await _round(server, many, events, RATE_US, undelivered))
                        floods[name].append(await _round(server, many, FLOOD, 0))
        return paced, floods

    async def _grids(self, floor: str, events: int) -> dict[str, list[Round]]:
        """Many sessions with few clients each."""
        rounds: dict[str, list[Round]] = {"ours": [], FLOOR: []}
        requests = [request for name in self._names for request in [self._request(name)] * EACH]
        for _ in range(self._repeats):
            for name, argv in (("ours", ()), (FLOOR, (floor,))):
                undelivered = 0.0 if argv else await self._undelivered(events, SESSIONS)
                async with self._server(argv, requests, SESSIONS) as (server, many):
                    rounds[name].append(await _round(server, many, events, RATE_US, undelivered))
        return rounds

    async def _undelivered(self, events: int, sessions: int) -> float:
        """Processor time of ours where nobody listens, in µs. The others do nothing then."""
        return (await _Ours(self._port, self._wire, sessions).publish(events, RATE_US, BYTES)).cpu_us

    async def _few(self, floor: str, events: int) -> dict[str, list[Round]]:
        """One session and few clients: how long an event is on its way."""
        rounds: dict[str, list[Round]] = {"ours": [], FLOOR: []}
        requests = [self._request(self._names[0])] * FEW
        for _ in range(self._repeats):
            for name, argv in (("ours", ()), (FLOOR, (floor,))):
                async with self._server(argv, requests) as (server, many):
                    rounds[name].append(await _round(server, many, events * 5, FEW_US))
        return rounds

    async def _stucks(self) -> tuple[list[Round], list[Round]]:
        """100 clients of one session: once all of them read, once one of twenty never does."""
        free, held = [], []
        for _ in range(self._repeats):
            free.append(await self._stuck(0))
            held.append(await self._stuck(20))
        return free, held

    async def _stuck(self, every: int) -> Round:
        server = _Ours(self._port, self._wire)
        requests = [self._request(self._names[0])] * 100
        async with clients(self._program, server.port, requests, stuck=every) as many:
            sign = -1 if every else 1
            many.listen(sign * STUCK_EVENTS, STUCK_EVENTS * STUCK_US / 1e6 + 3 if every else WAIT_SECONDS)
            published = await server.publish(STUCK_EVENTS, STUCK_US, LONG)
            return Round(published, await many.received())

    @asynccontextmanager
    async def _server(
        self, argv: Sequence[str], requests: list[str], sessions: int = 1
    ) -> AsyncIterator[tuple[Server, Clients]]:
        """Ours where there is no command, and as many clients as there are requests to ours."""
        if not argv:
            async with clients(self._program, self._port, requests) as many:
                yield _Ours(self._port, self._wire, sessions), many
            return
        async with talking(*argv) as talker:
            port = int((await talker.read()).split()[1])
            wanted = [upgrade("/", f"127.0.0.1:{port}")] * len(requests)
            async with clients(self._program, port, wanted) as many:
                yield _Peer(port, talker, sessions), many

    @property
    def _port(self) -> int:
        return int(self._deployment.server.url.rpartition(":")[2])

    def _request(self, session: SessionId) -> str:
        bearer = f"Bearer {self._deployment.home.token()}"
        return upgrade(f"/api/sessions/{session}/feed?after=1000000", f"localhost:{self._port}", Authorization=bearer)


async def _round(server: Server, many: Clients, events: int, pause_us: int, undelivered_us: float = 0) -> Round:
    many.listen(events, WAIT_SECONDS)
    done = Round(await server.publish(events, pause_us, BYTES), await many.received(), undelivered_us)
    assert done.received.fewest == events or not isinstance(server, _Ours), "a client of ours has missed an event"
    return done
