"""What a session goes on from after the machine stopped without warning."""

import shutil
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt
from outrider.model.errors import SandboxError
from outrider.model.events import Event, ProblemReported, Recorded, SandboxReady, SyncFinished
from outrider.model.ids import LayerId, SessionId
from outrider.model.sandbox import SandboxHandle
from outrider.session.policy import Policy
from outrider.session.registry import Registry
from outrider.session.state import State
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until


@pytest.fixture
def world(tmp_path: Path) -> SessionWorld:
    """Its engine writes one line a prompt, and nothing when it only looks."""
    names = ("one", "two", "three")
    return SessionWorld(tmp_path, FakeEngine({name: [write_file(f"{name}.txt", name)] for name in names} | {"": []}))


async def kept(registry: Registry, session: SessionId, turns: int) -> State:
    """Wait until the files of so many turns are kept and stored."""
    return await until(
        registry,
        session,
        lambda state: state.turn is None and len(state.snapshots) == turns and all(k.stored for k in state.snapshots),
    )


async def one_turn(world: SessionWorld) -> SessionId:
    """A session whose first turn is over and kept."""
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await kept(registry, session, 1)
    return session


async def told(registry: Registry, session: SessionId) -> list[Event]:
    """Its events."""
    return [Recorded.model_validate_json(row).event for row in await registry.events(session, 0, 1000)]


async def ways_and_words(registry: Registry, session: SessionId) -> tuple[list[str], list[str]]:
    """How it came by its sandboxes, and what was said of trouble."""
    events = await told(registry, session)
    ways = [event.how for event in events if isinstance(event, SandboxReady)]
    return ways, [event.sentence for event in events if isinstance(event, ProblemReported)]


def lose_layer(world: SessionWorld, layer: LayerId) -> None:
    """The layer is neither here nor in the store."""
    shutil.rmtree(world.folder / "sandboxes/layers" / layer)
    (world.folder / "layer-blobs" / f"{layer}.tar.zst").unlink()


async def test_a_sandbox_that_may_be_damaged_is_restored_from_its_snapshot_and_that_is_said(world: SessionWorld):
    session = await one_turn(world)
    world.sandboxes.lose_power()
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("two")))
        assert (await turn_end(registry, session, turns=2)).reason.value == "completed"
        ways, words = await ways_and_words(registry, session)
    assert ways == ["cold", "restored"]
    assert words == [
        "The machine stopped without warning, and what the sandbox wrote last may be damaged, so its files were not "
        "used. They were restored from the snapshot taken after turn 1; what was written later and not pushed is lost."
    ]


async def test_without_a_snapshot_it_goes_on_from_what_was_pushed(world: SessionWorld):
    session = await one_turn(world)
    world.sandboxes.lose_power()
    [layer] = [LayerId(path.name) for path in (world.folder / "sandboxes/layers").glob("snap-*")]
    lose_layer(world, layer)
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("two")))
        await turn_end(registry, session, turns=2)
        ways, words = await ways_and_words(registry, session)
    assert ways == ["cold", "cold"]
    assert "after turn 1 cannot be restored" in words[0]
    assert "machine stopped without warning" in words[1]
    assert "changes that were not pushed are lost" in words[1]


async def test_an_older_snapshot_serves_where_nothing_was_pushed_since(world: SessionWorld):
    session = await one_turn(world)
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("look")))
        state = await kept(registry, session, 2)
    world.sandboxes.lose_power()
    lose_layer(world, state.snapshots[1].layer)
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("look")))
        await turn_end(registry, session, turns=3)
        ways, words = await ways_and_words(registry, session)
    assert ways == ["cold", "adopted", "restored"]
    assert "the snapshot taken after turn 1;" in words[-1]


async def test_a_workspace_that_lacks_what_was_pushed_is_brought_to_it_and_work_goes_on(world: SessionWorld):
    session = await one_turn(world)

    async def full(handle: SandboxHandle, layer: LayerId) -> LayerId:
        raise SandboxError("The disk is full.", "Free some space.")

    world.sandboxes.snapshot = full  # type: ignore[method-assign]
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("two")))
        await turn_end(registry, session, turns=2)
        pushed = (await registry.state(session)).pushed
    world.sandboxes.lose_power()
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("three")))
        end = await turn_end(registry, session, turns=3)
        synced = [event for event in await told(registry, session) if isinstance(event, SyncFinished)][-1]
    assert end.reason.value == "completed", end.message
    assert (synced.commit, synced.moved, synced.files) == (pushed, True, ("two.txt",))


async def test_a_sandbox_that_was_about_to_sleep_is_given_up(world: SessionWorld):
    session = await one_turn(world)
    world.sandboxes.lose_power()
    world.policy = Policy(idle_seconds=0.001, commit_window_seconds=0)
    async with running(world.registry()) as registry:
        await until(registry, session, lambda state: state.sandbox is None or not state.sandbox.alive)
        _, words = await ways_and_words(registry, session)
        assert await world.sandboxes.list({}) == []
    assert "goes on from the snapshot taken after turn 1; what came later is lost." in words[0]
