"""Snapshots of sessions, end to end over folders: sleep, loss, rewind, fork; and the death of the server meanwhile."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.fleet.snapshots import Snapshots
from outrider.model.commands import QueuePrompt, Rewind
from outrider.model.errors import OutriderError, SandboxError
from outrider.model.events import ProblemReported, Recorded, SandboxReady, SnapshotFailed, SnapshotNotStored
from outrider.model.ids import LayerId, SessionId
from outrider.model.person import Author
from outrider.model.sandbox import SandboxHandle
from outrider.session.forking import NamedLayers, collect_snapshots, fork
from outrider.session.policy import Policy
from outrider.session.registry import Registry
from outrider.session.state import State
from outrider.storage.layer_blobs import DirectoryLayerBlobs
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.manual_clock import ManualClock
from outrider.testing.playbook import BOB
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until


@pytest.fixture
def engine() -> FakeEngine:
    """Writes one line a prompt."""
    names = ("one", "two", "three")
    return FakeEngine({name: [write_file(f"{name}.txt", f"{name}\n")] for name in names} | {"": []})


async def kept(registry: Registry, session: SessionId, turns: int) -> State:
    """Wait until the files of so many turns are kept and stored."""
    return await until(
        registry,
        session,
        lambda state: state.turn is None and len(state.snapshots) == turns and all(k.stored for k in state.snapshots),
    )


async def ask(registry: Registry, session: SessionId, text: str, turns: int) -> State:
    """One more prompt, to the end of its turn."""
    await registry.ask(session, QueuePrompt(new_prompt(text)))
    await turn_end(registry, session, turns=turns)
    return await until(registry, session, lambda state: state.snapshot_due is None and state.turn is None)


def files(world: SessionWorld, session: SessionId) -> list[str]:
    """What stands in the session's workspace."""
    [box] = [box for box in (world.folder / "sandboxes/boxes").iterdir() if session in (box / "saved.json").read_text()]
    return sorted(path.name for path in (box / "root/workspace").glob("*.txt"))


def named(sessions: list[SessionId], registry: Registry) -> NamedLayers:
    """What these sessions name."""
    layers = NamedLayers(lambda: sessions)
    layers.registry = registry
    return layers


async def told(registry: Registry, session: SessionId) -> list[object]:
    """Its events."""
    return [Recorded.model_validate_json(row).event for row in await registry.events(session, 0, 1000)]


async def test_a_deleted_folder_of_sandboxes_is_restored_from_the_store(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await kept(registry, session, 1)
    shutil.rmtree(tmp_path / "sandboxes" / "boxes")
    for layer in (tmp_path / "sandboxes" / "layers").glob("snap-*"):
        shutil.rmtree(layer)
    (tmp_path / "sandboxes" / "boxes").mkdir()
    async with running(world.registry()) as registry:
        await ask(registry, session, "two", 2)
        events = await told(registry, session)
        assert files(world, session) == ["one.txt", "sum.txt", "two.txt"]
    assert [event.how for event in events if isinstance(event, SandboxReady)] == ["cold", "restored"]
    said = [event.sentence for event in events if isinstance(event, ProblemReported)]
    assert any("restored from the snapshot taken after turn 1" in sentence for sentence in said)


async def test_what_is_neither_here_nor_stored_is_said(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await kept(registry, session, 1)
    shutil.rmtree(tmp_path / "sandboxes" / "boxes")
    shutil.rmtree(tmp_path / "layer-blobs")
    for layer in (tmp_path / "sandboxes" / "layers").glob("snap-*"):
        shutil.rmtree(layer)
    (tmp_path / "sandboxes" / "boxes").mkdir()
    async with running(world.registry()) as registry:
        await ask(registry, session, "two", 2)
        events = await told(registry, session)
    said = [event.sentence for event in events if isinstance(event, ProblemReported)]
    assert any("cannot be restored" in sentence for sentence in said)


async def test_a_session_sleeps_and_wakes_with_its_files_and_its_engine(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    world.policy = Policy(idle_seconds=0.05, commit_window_seconds=0)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await until(registry, session, lambda state: state.restore is not None and state.restore.asleep)
        before = (await registry.state(session)).engine_session
        world.policy = Policy(commit_window_seconds=0)
        await registry.ask(session, QueuePrompt(new_prompt("two")))
        await turn_end(registry, session, turns=2)
        events = await told(registry, session)
        state = await registry.state(session)
    assert [event.how for event in events if isinstance(event, SandboxReady)] == ["cold", "restored"]
    assert state.engine_session == before
    assert [event for event in events if isinstance(event, ProblemReported)] == []


async def test_a_session_goes_back_to_a_turn_and_forwards_again(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await turn_end(registry, session)
        await ask(registry, session, "two", 2)
        await registry.ask(session, Rewind("1", by=BOB))
        await ask(registry, session, "three", 3)
        assert files(world, session) == ["one.txt", "sum.txt", "three.txt"]
        branch = (await registry.state(session)).branch
        await registry.ask(session, Rewind("2", by=BOB))
        await ask(registry, session, "look", 4)
        assert files(world, session) == ["one.txt", "sum.txt", "two.txt"]
    assert branch.endswith("/work-3")


async def test_a_fork_goes_on_alone(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await turn_end(registry, session)
        parent = await ask(registry, session, "two", 2)
        child = await fork(registry, session, "1", Author(person=BOB), world.clock)
        await ask(registry, child, "three", 1)
        assert files(world, child) == ["one.txt", "sum.txt", "three.txt"]
        assert files(world, session) == ["one.txt", "sum.txt", "two.txt"]
        assert (await registry.state(session)).head == parent.head
        forked = await registry.state(child)
    assert forked.created.created_by.person == BOB
    assert forked.pull_request is not None
    assert forked.pull_request.head_branch == f"outrider/{child}/work"


async def test_snapshots_that_no_session_names_are_collected(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    world.policy = Policy(snapshots_kept=1, commit_window_seconds=0)
    repository = await world.begin()
    registry = world.registry()
    async with running(registry):
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await kept(registry, session, 1)
        await ask(registry, session, "two", 2)
        state = await kept(registry, session, 1)
        assert await collect_snapshots(named([session], registry), world.snapshots) == 1
        left = [row.id for row in await world.sandboxes.list_layers() if row.id.startswith("snap-")]
    assert left == [state.snapshots[0].layer]


class FullDisk(SandboxError):
    """As the provider says it."""


async def test_a_full_disk_is_said_and_the_session_goes_on(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)

    async def full(handle: SandboxHandle, layer: LayerId) -> LayerId:
        raise FullDisk("The disk is full.", "Free some space.")

    world.sandboxes.snapshot = full  # type: ignore[method-assign]
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await turn_end(registry, session)
        await ask(registry, session, "two", 2)
        events = await told(registry, session)
    assert "The disk is full." in next(event.reason for event in events if isinstance(event, SnapshotFailed))


class TroubledStore(DirectoryLayerBlobs):
    """Has no room until the test says that it has."""

    room = False

    async def put(self, name: str, content: AsyncIterator[bytes]) -> int:
        """Takes half of it where there is no room."""
        if self.room:
            return await super().put(name, content)

        async def half() -> AsyncIterator[bytes]:
            yield await anext(content)
            raise OutriderError("There is no room.", "Make some.")

        return await super().put(name, half())


async def test_a_store_in_trouble_is_said_once_and_gets_everything_in_the_end(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine, ManualClock())
    store = TroubledStore(tmp_path / "layer-blobs")
    world.snapshots = Snapshots(world.sandboxes, store, tmp_path / "scratch")
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await until(registry, session, lambda state: state.store_failures == 1)
        world.clock.advance(60)
        await until(registry, session, lambda state: state.store_failures == 2)
        assert list(await store.names()) == []
        store.room = True
        world.clock.advance(300)
        await kept(registry, session, 1)
        events = await told(registry, session)
    assert [event.again for event in events if isinstance(event, SnapshotNotStored)] == [False, True]
    assert len(list(await store.names())) >= 1
    assert list((tmp_path / "layer-blobs").glob(".*")) == []


async def test_a_session_that_cannot_be_read_keeps_everything(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await kept(registry, session, 1)
        with pytest.raises(OutriderError):
            await collect_snapshots(named([SessionId("s-gone22222")], registry), world.snapshots)
        assert [row for row in await world.sandboxes.list_layers() if row.id.startswith("snap-")]
