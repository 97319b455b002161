"""B8, the control plane alone: what sessions cost that sleep, that are awake, and clients that only listen."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.feed_server import AWAKE
from benchmarks.figures import Figure, progress
from benchmarks.floors.feed_peers import built, clients, upgrade
from benchmarks.product import feed_server, fresh_home
from benchmarks.sessions import names_of, write_session
from benchmarks.wire import Wire
from outrider.model.ids import SessionId

NAME = "B8 control plane"
SESSIONS, CLIENTS = 10_000, 5_000
REST_KB, AWAKE_KB, CLIENT_KB = 0.5, 60.0, 30.0


async def at_rest(*, quick: bool) -> list[Figure]:
    """Run it: three servers, with no session, with as many as stay awake, and with all; the last gets the clients."""
    sessions, many = (1_000, 500) if quick else (SESSIONS, CLIENTS)
    empty, *_ = await _size(0, 0)
    awake, count, _ = await _size(AWAKE, 0)
    resting, beside, watched = await _size(sessions, many)
    each = (awake - empty) / max(count, 1) / 1000
    rest = (resting - empty - each * beside * 1000) / (sessions - beside) / 1000
    client = None if watched is None else (watched - resting) / many / 1000
    return [
        Figure(f"{NAME}, a session at rest", f"{sessions} sessions, {beside} awake", rest, "kB", None, "",
               f"<= {REST_KB} kB", rest <= REST_KB),
        Figure(f"{NAME}, a session awake", f"{count} sessions beside none", each, "kB", None, "",
               f"<= {AWAKE_KB:g} kB", each <= AWAKE_KB),
        Figure(f"{NAME}, an idle client", f"{many} clients, each of another session", client, "kB", None, "",
               f"<= {CLIENT_KB:g} kB", None if client is None else client <= CLIENT_KB),
    ]  # fmt: skip


async def _size(count: int, many: int) -> tuple[int, int, int | None]:
    """Memory of a server of so many sessions that has come to rest, how many of them are awake still, and memory with
    so many clients on top."""
    names = names_of(max(count, 1))
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(fresh_home()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (home / "sessions").mkdir()
        for name in names[:count]:
            write_session(home / "sessions", name, 20)
        progress(f"B8: a server of {count} sessions")
        deployment = await stack.enter_async_context(feed_server(home))
        wire = await stack.enter_async_context(Wire.open(home))
        awake = int(await wire.ask("rest"))
        resting = int((await wire.ask("size")).split()[0])
        program = await asyncio.to_thread(built, "feed_clients.c", folder) if many else None
        if program is None:
            return resting, awake, None
        port = int(deployment.server.url.rpartition(":")[2])
        token = deployment.home.token()
        requests = [_request(names[number % count], port, token) for number in range(many)]
        progress(f"B8: {many} clients attach")
        await stack.enter_async_context(clients(program, port, requests))
        return resting, awake, int((await wire.ask("size")).split()[0])


def _request(session: SessionId, port: int, token: str) -> str:
    path = f"/api/sessions/{session}/feed?after=1000000"
    return upgrade(path, f"localhost:{port}", Authorization=f"Bearer {token}")
