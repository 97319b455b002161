"""The queue over HTTP: several people, repeated requests, a restart in between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.model.ids import SessionId
from outrider.testing.fake_engine import FakeEngine, say, wait_for
from outrider.testing.playbook import ADA, BOB
from outrider.testing.session_world import SessionWorld, new_session, until
from tests.integration.api_world import Server, serving


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def world(tmp_path: Path, gate: asyncio.Event) -> AsyncIterator[SessionWorld]:
    """An engine that works until the gate is opened."""
    world = SessionWorld(tmp_path, FakeEngine({"": [wait_for(gate), say("Done.")]}))
    await world.begin()
    yield world
    gate.set()


async def at_work(world: SessionWorld, server: Server) -> str:
    """The address of a session whose engine is at work."""
    repository = await world.forge.find(str(world.source.folder), lambda line: None)
    session = await server.registry.create(new_session(repository, world.source.head(), "begin"))
    await until(server.registry, session, lambda state: state.turn is not None and state.turn.handed)
    return f"/api/sessions/{session}"


async def test_two_people_edit_one_queue(world: SessionWorld) -> None:
    async with serving(world) as server, server.browser(BOB) as bob:
        session = await at_work(world, server)
        queued = (await bob.post(f"{session}/prompts", json={"text": "mend it"})).json()["prompt"]
        mine = {"text": "mend it all", "revision": 1}
        assert (await server.client.patch(f"{session}/prompts/{queued}", json=mine)).is_success
        late = await bob.patch(f"{session}/prompts/{queued}", json={"text": "mend some", "revision": 1})
        assert (late.status_code, late.json()["sentence"]) == (409, "Ada has changed this prompt meanwhile.")
        row = (await bob.get(session)).json()["queue"][0]
        assert (row["text"], row["revision"], row["edited_by"]["name"]) == ("mend it all", 2, "Ada")
        assert row["author"]["person"]["name"] == "Bob"
        foreign = (await server.client.post(f"{session}/prompts", json={"text": "of Ada"})).json()["prompt"]
        refused = await bob.patch(f"{session}/prompts/{foreign}", json={"text": "of Bob", "revision": 1})
        assert (refused.status_code, "it takes an owner" in refused.json()["sentence"]) == (403, True)


async def test_a_repeated_request_is_answered_as_before_also_after_a_restart(
    world: SessionWorld, gate: asyncio.Event
) -> None:
    twice = {"text": "mend it", "key": "one"}
    steer = {"idempotency-key": "two"}
    async with serving(world) as server:
        session = await at_work(world, server)
        first = (await server.client.post(f"{session}/prompts", json=twice)).json()
        assert (await server.client.post(f"{session}/prompts", json=twice)).json() == first
        other = await server.client.post(f"{session}/prompts", json=twice | {"text": "another"})
        assert (other.status_code, "another request" in other.json()["sentence"]) == (409, True)
        stopped = await server.client.post(f"{session}/prompts/{first['prompt']}/steer", headers=steer)
        assert stopped.status_code == 204
        gate.set()
        await until(server.registry, SessionId(session.rpartition("/")[2]), lambda state: state.turns == 2)
    async with serving(world) as server:
        before = (await server.registry.state(SessionId(session.rpartition("/")[2]))).turns
        assert (await server.client.post(f"{session}/prompts", json=twice)).json() == first
        again = await server.client.post(f"{session}/prompts/{first['prompt']}/steer", headers=steer)
        assert again.status_code == 204
        other = await server.client.post(f"{session}/stop", headers=steer)
        assert other.status_code == 409
        assert (await server.registry.state(SessionId(session.rpartition("/")[2]))).turns == before


async def test_a_key_starts_one_session(world: SessionWorld) -> None:
    repository = await world.forge.find(str(world.source.folder), lambda line: None)
    async with serving(world) as server:
        wanted = new_session(repository, world.source.head(), "begin", key="k")
        assert await server.registry.create(wanted) == await server.registry.create(wanted)
        other = new_session(repository, world.source.head(), "begin otherwise", key="k")
        with pytest.raises(Exception, match="another request"):
            await server.registry.create(other)
        assert wanted.prompt.author.person == ADA
