"""Limits of a deployment: turns that wait, sessions within an hour, what clients are told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt, StopTurn
from outrider.model.ids import SessionId
from outrider.model.limits import HouseLimits, RateLimits, WorkLimits
from outrider.session.projection import status
from outrider.session.registry import Registry
from outrider.session.state import State
from outrider.testing.fake_engine import FakeEngine, say, wait_for
from outrider.testing.playbook import ADA
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until
from tests.integration.api_world import Server, serving


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def world(tmp_path: Path, gate: asyncio.Event) -> SessionWorld:
    return SessionWorld(tmp_path, FakeEngine({"": [wait_for(gate), say("Done.")]}))


def at_work(state: State) -> bool:
    return state.turn is not None and state.turn.handed


def held(state: State) -> bool:
    return state.turn is not None and state.turn.held is not None


async def start(world: SessionWorld, registry: Registry, text: str, reached: Callable[[State], bool]) -> SessionId:
    repository = await world.forge.find(str(world.source.folder), lambda line: None)
    session = await registry.create(new_session(repository, world.source.head(), text))
    await until(registry, session, reached)
    return session


async def types(registry: Registry, session: SessionId) -> str:
    return b"".join(await registry.events(session, 0, 500)).decode()


async def test_a_turn_waits_says_so_to_everybody_and_begins_by_itself(world: SessionWorld, gate: asyncio.Event) -> None:
    world.limits = HouseLimits(work=WorkLimits(sessions=1))
    await world.begin()
    async with running(world.registry()) as registry:
        first = await start(world, registry, "first", at_work)
        second = await start(world, registry, "second", held)
        state = await registry.state(second)
        assert status(state) == "waiting"
        assert "OUTRIDER_LIMIT_SESSIONS_AT_WORK" in state.turn.held.remedy
        assert len(await world.sandboxes.list({})) == 1, "no sandbox is started for a turn that waits"
    async with running(world.registry()) as registry:
        await until(registry, first, at_work)
        assert status(await registry.state(second)) == "waiting", "also after a restart"
        gate.set()
        await turn_end(registry, first)
        await turn_end(registry, second)
        told = await types(registry, second)
        assert (told.count('"turn_held"'), told.count('"turn_admitted"')) == (1, 1)


async def test_a_turn_that_waits_can_be_stopped(world: SessionWorld, gate: asyncio.Event) -> None:
    world.limits = HouseLimits(work=WorkLimits(person_sessions=1))
    await world.begin()
    async with running(world.registry()) as registry:
        first = await start(world, registry, "first", at_work)
        second = await start(world, registry, "second", held)
        await registry.ask(second, StopTurn(ADA))
        assert "Stopped by Ada" in (await turn_end(registry, second)).message
        gate.set()
        await turn_end(registry, first)
        await registry.ask(second, QueuePrompt(new_prompt("again")))
        await turn_end(registry, second, turns=2)


async def test_sessions_within_an_hour_are_counted_over_restarts(world: SessionWorld, gate: asyncio.Event) -> None:
    world.limits = HouseLimits(rates=RateLimits(person_sessions=2, person_uploads=1))
    gate.set()
    await world.begin()
    wanted = {"repository": "demo", "prompt": "begin", "model": "rehearsal/demo", "key": "one"}
    async with serving(world) as server:
        first = await server.client.post("/api/sessions", json=wanted)
        assert (await server.client.post("/api/sessions", json=wanted)).json() == first.json(), "counted once"
        assert (await server.client.post("/api/sessions", json=wanted | {"key": "two"})).status_code == 201
    async with serving(world) as server:
        assert (await server.client.post("/api/sessions", json=wanted)).json() == first.json()
        full = await server.client.post("/api/sessions", json=wanted | {"key": "three"})
        assert full.status_code == 429
        assert 3500 < int(full.headers["retry-after"]) <= 3600
        assert "2 sessions started within an hour is the most for Ada" in full.json()["sentence"]
        assert "OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR" in full.json()["remedy"]
        await uploads_are_counted(server)
        rows = (await server.client.get("/api/limits")).json()["limits"]
        uses = {row["setting"]: (row["value"], row["used"]) for row in rows}
        assert uses["OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR"] == (2, 2)
        assert uses["OUTRIDER_LIMIT_SESSIONS_PER_HOUR"] == (None, 2)
        assert uses["OUTRIDER_LIMIT_QUEUE"] == (100, None)
        assert uses["OUTRIDER_SANDBOX_CPUS"] == (2, None)
        units = {row["setting"]: (row["per"], row["unit"]) for row in rows}
        assert units["OUTRIDER_SANDBOX_MEMORY_BYTES"] == ("sandbox", "bytes")
        assert units["OUTRIDER_BUDGET_USD"] == ("tree", "dollars")
        server.client.headers.pop("authorization")
        assert (await server.client.get("/api/limits")).status_code == 401


async def uploads_are_counted(server: Server) -> None:
    first = await server.client.post("/api/attachments?name=a.txt", content=b"a")
    second = await server.client.post("/api/attachments?name=b.txt", content=b"b")
    assert (first.status_code, second.status_code) == (201, 429)
