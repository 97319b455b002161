"""Sandboxes that are slow, never ready, or on a full disk: the session says so, and loses nothing. One that dies under
a turn is in `test_session_turns`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt
from outrider.model.events import TurnEndReason
from outrider.model.ids import SessionId
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, Stage, say, shell, write_file
from outrider.testing.fake_sandbox import FullDiskSandbox, NeverReadySandbox, SlowSandbox
from outrider.testing.session_world import (
    Sandboxes,
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
    until,
)


class Slow(SlowSandbox, Sandboxes):
    """Unforwarded."""


class NeverReady(NeverReadySandbox, Sandboxes):
    """Unforwarded."""


class FullDisk(FullDiskSandbox, Sandboxes):
    """Unforwarded; can be ended under whoever is connected."""


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine({"": [say("Done.")]})


@asynccontextmanager
async def served(folder: Path, engine: FakeEngine, sandboxes: Sandboxes) -> AsyncIterator[tuple[Registry, SessionId]]:
    """A server whose sandboxes are these, and a session with a first prompt."""
    world = SessionWorld(folder, engine)
    world.sandboxes = sandboxes
    repository = await world.begin()
    async with running(world.registry()) as registry:
        yield registry, await registry.create(new_session(repository, world.source.head(), "the first"))


async def test_a_slow_sandbox_keeps_every_prompt(tmp_path: Path, engine: FakeEngine) -> None:
    sandboxes = Slow(tmp_path / "sandboxes")
    async with served(tmp_path, engine, sandboxes) as (registry, session):
        await registry.ask(session, QueuePrompt(prompt=new_prompt("the second")))
        await until(registry, session, lambda state: len(state.queue) == 1)
        assert engine.prompts == []
        sandboxes.go.set()
        end = await turn_end(registry, session, turns=2)
        assert end.reason is TurnEndReason.COMPLETED
    assert [said[-1] for said in engine.prompts] == ["the first", "the second"]


async def test_a_sandbox_that_is_never_ready_is_said_and_the_next_prompt_may_work(
    tmp_path: Path, engine: FakeEngine
) -> None:
    sandboxes = NeverReady(tmp_path / "sandboxes")
    async with served(tmp_path, engine, sandboxes) as (registry, session):
        end = await turn_end(registry, session)
        assert end.reason is TurnEndReason.FAILED
        assert "The sandbox was not ready in time." in end.message
        assert "outrider images" in end.message
        assert await sandboxes.list({}) == []
        sandboxes.mended = True
        await registry.ask(session, QueuePrompt(prompt=new_prompt("the second")))
        assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED


async def test_a_full_disk_is_said_and_what_was_written_is_kept(tmp_path: Path, engine: FakeEngine) -> None:
    sandboxes = FullDisk(tmp_path / "sandboxes")

    async def run_out(_: Stage) -> None:
        sandboxes.full = True
        [info] = await sandboxes.list({})
        await sandboxes.die(info.handle)
        await asyncio.Event().wait()

    engine.plays = {"the second": [shell("cat kept.txt")], "": [write_file("kept.txt", "mine\n"), run_out]}
    async with served(tmp_path, engine, sandboxes) as (registry, session):
        end = await turn_end(registry, session)
        assert end.reason is TurnEndReason.FAILED
        assert "The disk is full. Free some space" in end.message
        sandboxes.full = False
        await registry.ask(session, QueuePrompt(prompt=new_prompt("the second")))
        assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED
        await until(registry, session, lambda state: state.turn is None)
        stored = b"".join(await registry.events(session, 0, 10_000)).decode()
        assert "mine" in stored
