"""What a repository holds its sandboxes to, by whatever way a session comes by one."""

from pathlib import Path

from outrider.model.commands import QueuePrompt
from outrider.model.ids import SandboxId
from outrider.model.sandbox import Limits
from outrider.session.policy import Policy
from outrider.testing.fake_engine import FakeEngine, say
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
