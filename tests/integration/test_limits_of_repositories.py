"""What a repository holds its sandboxes to, by whatever way a session comes by one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from outrider.model.commands import QueuePrompt
from outrider.model.ids import SandboxId
from outrider.model.sandbox import Limits, Totals
from outrider.session.policy import Policy
from outrider.testing.fake_engine import FakeEngine, say, wait_for
from outrider.testing.fake_layers import read_saved
from outrider.testing.manual_clock import ManualClock
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

RECIPE = "[limits]\nprocesses = 77\nwall_seconds = 90\nidle_seconds = 30\n"


async def test_they_hold_in_the_first_sandbox_and_in_one_that_is_restored(tmp_path: Path) -> None:
    clock = ManualClock()
    world = SessionWorld(tmp_path, FakeEngine({"": [say("Done.")]}), clock)
    world.policy = Policy(delta_window_seconds=0, commit_window_seconds=0)
    world.source.commit("Limits", {"outrider.toml": RECIPE})
    repository = await world.begin()

    def limits(sandbox: SandboxId) -> Limits:
        saved = read_saved(tmp_path / "sandboxes" / "boxes" / sandbox)
        assert saved is not None
        return saved.spec.limits

    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        await turn_end(registry, session)
        await until(registry, session, lambda state: bool(state.snapshots) and state.snapshots[-1].stored)
        [first] = await world.sandboxes.list({})
        assert (limits(first.handle.id).processes, limits(first.handle.id).wall_seconds) == (77, 90)
        clock.advance(31)
        await until(registry, session, lambda state: bool(state.restore and state.restore.asleep))
        await registry.ask(session, QueuePrompt(new_prompt("again")))
        await turn_end(registry, session, turns=2)
        [second] = await world.sandboxes.list({})
        assert (limits(second.handle.id).processes, limits(second.handle.id).wall_seconds) == (77, 90)


async def test_a_sandbox_waits_for_its_share_of_the_total_and_says_so(tmp_path: Path) -> None:
    gate = asyncio.Event()
    world = SessionWorld(tmp_path, FakeEngine({"": [wait_for(gate), say("Done.")]}))
    world.policy = Policy(idle_seconds=0.05, commit_window_seconds=0)
    world.totals = Totals(memory_bytes=5 << 30)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        first = await registry.create(new_session(repository, world.source.head(), "look"))
        await until(registry, first, lambda state: state.turn is not None and state.turn.handed)
        second = await registry.create(new_session(repository, world.source.head(), "look too"))
        async with asyncio.timeout(60), registry.attach(second, 0) as frames:
            assert await next_with(b"Waiting for 4 GB of memory for the session: 1 GB of memory of 5 GB", frames)
        assert len(await world.sandboxes.list({})) == 1
        gate.set()
        await turn_end(registry, first)
        await turn_end(registry, second)


async def next_with(words: bytes, frames: AsyncIterator[bytes]) -> bytes:
    """The first frame that holds these words."""
    return await anext(frame async for frame in frames if words in frame)
