"""A stop at any moment of a turn's beginning leaves nothing in the way of the next turn."""

import asyncio
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt, StopTurn
from outrider.model.events import TurnEndReason
from outrider.testing.fake_engine import FakeEngine, hang
from outrider.testing.playbook import ADA
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end


@pytest.mark.parametrize("milliseconds", [0, 10, 25, 50, 75, 100, 150, 200, 300])
async def test_the_next_turn_works(tmp_path: Path, milliseconds: int):
    world = SessionWorld(tmp_path, FakeEngine({"hang": [hang()], "": []}))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "hang"))
        await asyncio.sleep(milliseconds / 1000)  # the moment is the point: each is another step cut off
        await registry.ask(session, StopTurn(by=ADA))
        await registry.ask(session, QueuePrompt(new_prompt("work")))
        assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED
