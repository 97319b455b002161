"""B8, the control plane alone: what sessions cost that sleep, that are awake, and clients that only listen."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, progress
from benchmarks.floors.feed_peers import built, clients, upgrade
from benchmarks.product import feed_server, fresh_home, more_files
from benchmarks.sessions import names_of, write_session
from benchmarks.stalls import Stalls
from benchmarks.wire import Wire
from outrider.model.ids import SessionId
from tests.e2e.deployment import Deployment

NAME = "B8 control plane"
EVENTS = 20
REST_KB, AWAKE_KB, CLIENT_KB = 0.5, 60.0, 30.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many there are."""

    sessions: int = 10_000
    awake: int = 1_000
    clients: int = 5_000


QUICK = Crowd(1_000, 100, 500)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of memory of the server, one after the other."""

    empty: int
    """Of one that has no session."""
    taken_up: int
    """Of one that has just read each session for the first time, none awake any more."""
    rest: int
    """After its next start, when it knows them all, none awake."""
    awake: int
    """With some awake."""
    watched: int | None
    """And with clients attached; None without a C compiler."""


async def at_rest(*, quick: bool) -> list[Figure]:
    """Run it: a server without sessions, one with all of them, that server again, and what wakes and attaches there."""
    crowd, limit, stalls = QUICK if quick else Crowd(), more_files(), Stalls()
    names = names_of(crowd.sessions)
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(fresh_home()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        progress(f"B8: {crowd.sessions} sessions are written")
        for name in names:
            await asyncio.to_thread(write_session, home / "sessions", name, EVENTS)
        program = await asyncio.to_thread(built, "feed_clients.c", folder)
        with fresh_home() as other:
            async with _serving(other, 0, stalls) as (_, wire):
                empty = await _size(wire, 0)
        progress("B8: a server sees them for the first time")
        async with _serving(home, 0, stalls) as (_, wire):
            taken_up = await _size(wire, 0)
        progress("B8: it starts again")
        async with _serving(home, 0, stalls) as (_, wire):
            rest = await _size(wire, 0)
        progress(f"B8: {crowd.awake} sessions wake")
        async with _serving(home, crowd.awake, stalls) as (deployment, wire):
            await wire.ask("rest", crowd.awake)
            for name in names[: crowd.awake]:
                await wire.ask("wake", name)
            awake = await _size(wire, crowd.awake)
            watched = await _watched(program, deployment, names, wire, crowd) if program else None
    sizes = Sizes(empty, taken_up, rest, awake, watched)
    return [*size_figures(crowd, sizes, limit), stalls.figure(NAME, judged=False)]


@asynccontextmanager
async def _serving(home: Path, awake: int, stalls: Stalls) -> AsyncIterator[tuple[Deployment, Wire]]:
    async with feed_server(home, awake) as deployment, Wire.open(home) as wire, stalls.watching(deployment):
        yield deployment, wire


async def _size(wire: Wire, awake: int) -> int:
    """Once it has come to rest with at most so many awake."""
    await wire.ask("rest", awake)
    return int((await wire.ask("size")).split()[0])


async def _watched(program: Path, deployment: Deployment, names: list[SessionId], wire: Wire, crowd: Crowd) -> int:
    """With clients, each of another session as long as there are enough."""
    port = int(deployment.server.url.rpartition(":")[2])
    token = deployment.home.token()
    requests = [_request(names[number % len(names)], port, token) for number in range(crowd.clients)]
    progress(f"B8: {crowd.clients} clients attach")
    async with clients(program, port, requests):
        return int((await wire.ask("size")).split()[0])


def size_figures(crowd: Crowd, sizes: Sizes, limit: int) -> list[Figure]:
    """What one of each costs."""
    files = f"at most {limit} open files"
    known, rest = ((size - sizes.empty) / crowd.sessions / 1000 for size in (sizes.taken_up, sizes.rest))
    awake = (sizes.awake - sizes.rest) / crowd.awake / 1000
    client = None if sizes.watched is None else (sizes.watched - sizes.awake) / crowd.clients / 1000
    return [
        Figure(f"{NAME}, a session at rest", f"{crowd.sessions} sessions beside none, {files}", rest, "kB", None, "",
               f"<= {REST_KB} kB", rest <= REST_KB),
        Figure(f"{NAME}, a session at rest, after the start that read each for the first time",
               f"{crowd.sessions} sessions beside none", known, "kB", None, "", "", None),
        Figure(f"{NAME}, a session awake", f"{crowd.awake} awake of {crowd.sessions} beside none awake, {files}", awake,
               "kB", None, "", f"<= {AWAKE_KB:g} kB", awake <= AWAKE_KB),
        Figure(f"{NAME}, an idle client", f"{crowd.clients} clients, each of another session, {files}", client, "kB",
               None, "", f"<= {CLIENT_KB:g} kB", None if client is None else client <= CLIENT_KB),
    ]  # fmt: skip


def _request(session: SessionId, port: int, token: str) -> str:
    path = f"/api/sessions/{session}/feed?after=1000000"
    return upgrade(path, f"localhost:{port}", Authorization=f"Bearer {token}")
