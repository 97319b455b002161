"""Which files have changed, over real WebSockets: who was away is told the same as who comes anew."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from outrider.app.server import ReadyServer
from outrider.model.commands import QueuePrompt, Rewind
from outrider.model.ids import SessionId
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.playbook import ADA
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, turn_end, until
from tests.integration.api_world import TOKEN, serving

Told = list[tuple[str, str]] | None
"""Kind and path of each file; None where nothing is known."""


class Sockets:
    """A server with a port of its own."""

    def __init__(self, registry: Registry, port: int) -> None:
        self.registry = registry
        self._url = f"ws://localhost:{port}/api/sessions"

    @asynccontextmanager
    async def client(self, session: SessionId, after: int = 0) -> AsyncIterator[ClientConnection]:
        """A client that has everything up to an event."""
        bearer = {"authorization": f"Bearer {TOKEN}"}
        async with connect(f"{self._url}/{session}/feed?after={after}", additional_headers=bearer) as socket:
            yield socket

    async def attached(self, session: SessionId, after: int = 0) -> Told:
        """What a client is told that attaches now."""
        async with self.client(session, after) as socket:
            return await told(socket)


async def told(socket: ClientConnection) -> Told:
    """What the attach tells. It fails where the attach is over and has told nothing."""
    while True:
        frame: dict[str, Any] = json.loads(await socket.recv())
        assert frame["kind"] != "live", "an attach that tells nothing of the files"
        if frame["kind"] == "changes":
            found = frame["changes"]
            return None if found is None else [(file["kind"], file["path"]) for file in found["files"]]


@asynccontextmanager
async def listening(world: SessionWorld) -> AsyncIterator[Sockets]:
    """Serve a world on a port."""
    async with serving(world) as served, asyncio.TaskGroup() as tasks:
        config = uvicorn.Config(served.app, port=0, ws="websockets-sansio", lifespan="off", log_config=None)
        server = ReadyServer(config)
        tasks.create_task(server.serve(), name="server")
        await server.ready.wait()
        try:
            yield Sockets(served.registry, server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True


async def test_who_was_away_during_a_rewind_and_a_restart_sees_the_same_files_as_who_comes_anew(tmp_path: Path) -> None:
    world = SessionWorld(tmp_path, FakeEngine({name: [write_file(name, f"{name}\n")] for name in ("one", "two")}))
    repository = await world.begin()
    async with listening(world) as server:
        registry = server.registry
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await turn_end(registry, session)
        await registry.ask(session, QueuePrompt(new_prompt("two")))
        await turn_end(registry, session, turns=2)
        kept = await until(registry, session, lambda state: len(state.snapshots) == 2)
        async with server.client(session) as early:
            assert await told(early) == [("added", "one"), ("added", "two")]
        await registry.ask(session, Rewind(kept.snapshots[0].turn, ADA))
        assert await server.attached(session, after=kept.seq) is None
        assert await server.attached(session) is None
        of_rest = await registry.changed_files.of(session)
        assert of_rest is not None
        assert [(file.kind, file.path) for file in of_rest.files] == [("added", "one")]
        last = (await registry.state(session)).seq
    async with listening(world) as server:
        assert await server.attached(session, after=last) is None
        assert await server.attached(session) is None
        again = await server.registry.changed_files.of(session)
        assert again is not None
        assert [(file.kind, file.path) for file in again.files] == [("added", "one")]
