"""Snapshots of sessions, end to end over folders: sleep, loss, rewind, fork; and the death of the server meanwhile."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.fleet.claims import LayerClaims
from outrider.fleet.images.collection import Collector, Holders, Keep
from outrider.fleet.snapshots import Snapshots
from outrider.model.commands import QueuePrompt, Rewind
from outrider.model.engine import TRANSCRIPT_OPENING
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
from outrider.testing.image_world import ImageWorld
from outrider.testing.manual_clock import ManualClock
from outrider.testing.playbook import BOB
from outrider.testing.session_world import BASE_LAYER, SessionWorld, new_prompt, new_session, running, turn_end, until


def engine() -> FakeEngine:
    """Writes a file of that name for each of these prompts."""
    names = ("one", "two", "three")
    return FakeEngine({name: [write_file(f"{name}.txt", f"{name}\n")] for name in names} | {"": []})


@pytest.fixture
def world(tmp_path: Path) -> SessionWorld:
    return SessionWorld(tmp_path, engine())


@dataclass
class Story:
    """A running server, and a session that began with the prompt “one”."""

    world: SessionWorld
    registry: Registry
    session: SessionId

    async def kept(self, turns: int) -> State:
        """Wait until the files of so many turns are kept and stored."""

        def done(state: State) -> bool:
            stored = [kept.stored for kept in state.snapshots]
            return state.turn is None and len(stored) == turns and all(stored)

        return await until(self.registry, self.session, done)

    async def ask(self, text: str, turns: int, session: SessionId | None = None) -> State:
        """One more prompt, to the end of its turn."""
        asked = session or self.session
        await self.registry.ask(asked, QueuePrompt(new_prompt(text)))
        await turn_end(self.registry, asked, turns=turns)
        return await until(self.registry, asked, lambda state: state.snapshot_due is None and state.turn is None)

    def files(self, session: SessionId | None = None) -> list[str]:
        """What stands in the session's workspace."""
        boxes = (self.world.folder / "sandboxes" / "boxes").iterdir()
        [box] = [box for box in boxes if (session or self.session) in (box / "saved.json").read_text()]
        return sorted(path.name for path in (box / "root" / "workspace").glob("*.txt"))

    async def events(self) -> list[object]:
        """What its log says."""
        rows = await self.registry.events(self.session, 0, 1000)
        return [Recorded.model_validate_json(row).event for row in rows]

    async def problems(self) -> list[str]:
        """What people were told."""
        return [event.sentence for event in await self.events() if isinstance(event, ProblemReported)]

    async def starts(self) -> list[str]:
        """How it came by its sandboxes."""
        return [event.how for event in await self.events() if isinstance(event, SandboxReady)]

    async def collect(self, *sessions: SessionId) -> int:
        """Delete the snapshots that these sessions do not name."""
        layers = NamedLayers(lambda: list(sessions))
        layers.registry = self.registry
        return await collect_snapshots(layers, self.world.snapshots)

    async def layers(self) -> list[LayerId]:
        """The snapshots on this machine."""
        return [row.id for row in await self.world.sandboxes.list_layers() if row.id.startswith("snap-")]


@asynccontextmanager
async def begun(world: SessionWorld) -> AsyncIterator[Story]:
    """A session on a new server."""
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        yield Story(world, registry, session)


@asynccontextmanager
async def restarted(story: Story) -> AsyncIterator[Story]:
    """The same session on the next server."""
    async with running(story.world.registry()) as registry:
        yield Story(story.world, registry, story.session)


def lose_sandboxes(world: SessionWorld) -> None:
    """All of them, and the snapshots on this machine."""
    folder = world.folder / "sandboxes"
    for lost in (folder / "boxes", *(folder / "layers").glob("snap-*")):
        shutil.rmtree(lost)
    (folder / "boxes").mkdir()


async def test_a_deleted_folder_of_sandboxes_is_restored_from_the_store(world: SessionWorld) -> None:
    async with begun(world) as story:
        await story.kept(1)
    lose_sandboxes(world)
    async with restarted(story) as story:
        await story.ask("two", 2)
        assert story.files() == ["one.txt", "sum.txt", "two.txt"]
        assert await story.starts() == ["cold", "restored"]
        assert any("restored from the snapshot taken after turn 1" in said for said in await story.problems())


async def test_what_is_neither_here_nor_stored_is_said(world: SessionWorld) -> None:
    async with begun(world) as story:
        await story.kept(1)
    lose_sandboxes(world)
    shutil.rmtree(world.folder / "layer-blobs")
    async with restarted(story) as story:
        await story.ask("two", 2)
        assert any("cannot be restored" in said for said in await story.problems())


async def test_a_session_sleeps_and_wakes_with_its_files_and_its_engine(world: SessionWorld) -> None:
    world.policy = Policy(idle_seconds=0.05, commit_window_seconds=0)
    async with begun(world) as story:
        asleep = await until(
            story.registry, story.session, lambda state: state.restore is not None and state.restore.asleep
        )
        world.policy = Policy(commit_window_seconds=0)
        await story.registry.ask(story.session, QueuePrompt(new_prompt("two")))
        await turn_end(story.registry, story.session, turns=2)
        awake = await story.registry.state(story.session)
        assert await story.starts() == ["cold", "restored"]
        assert (await story.problems(), awake.engine_session) == ([], asleep.engine_session)


async def test_a_session_goes_back_to_a_turn_and_forwards_again(world: SessionWorld) -> None:
    async with begun(world) as story:
        await turn_end(story.registry, story.session)
        await story.ask("two", 2)
        await story.registry.ask(story.session, Rewind("1", by=BOB))
        state = await story.ask("three", 3)
        assert story.files() == ["one.txt", "sum.txt", "three.txt"]
        await story.registry.ask(story.session, Rewind("2", by=BOB))
        await story.ask("look", 4)
        assert story.files() == ["one.txt", "sum.txt", "two.txt"]
    assert state.branch.endswith("/work-3")


async def test_a_fork_goes_on_alone(world: SessionWorld) -> None:
    async with begun(world) as story:
        await turn_end(story.registry, story.session)
        parent = await story.ask("two", 2)
        child = await fork(story.registry, story.session, "1", Author(person=BOB), world.clock)
        forked = await story.ask("three", 1, child)
        assert story.files(child) == ["one.txt", "sum.txt", "three.txt"]
        assert story.files() == ["one.txt", "sum.txt", "two.txt"]
        assert (await story.registry.state(story.session)).head == parent.head
    assert forked.created.created_by.person == BOB
    assert forked.pull_request is not None
    assert forked.pull_request.head_branch == f"outrider/{child}/work"


async def test_a_fork_whose_engine_has_lost_its_memory_is_told_what_its_parent_did(world: SessionWorld) -> None:
    async with begun(world) as story:
        await turn_end(story.registry, story.session)
        await story.ask("two", 2)
        child = await fork(story.registry, story.session, "1", Author(person=BOB), world.clock)
        world.engine.sessions.clear()
        await story.ask("three", 1, child)
    told = world.engine.prompts[-1][0]
    assert told.startswith(TRANSCRIPT_OPENING)
    assert "asked: one" in told
    assert "asked: two" not in told


async def test_snapshots_that_no_session_names_are_collected(world: SessionWorld) -> None:
    world.policy = Policy(snapshots_kept=1, commit_window_seconds=0)
    async with begun(world) as story:
        await story.kept(1)
        await story.ask("two", 2)
        state = await story.kept(1)
        assert await story.collect(story.session) == 1
        assert await story.layers() == [state.snapshots[0].layer]


async def test_a_session_that_cannot_be_read_keeps_everything(world: SessionWorld) -> None:
    async with begun(world) as story:
        await story.kept(1)
        with pytest.raises(OutriderError):
            await story.collect(SessionId("s-gone22222"))
        assert len(await story.layers()) == 1


async def test_a_full_disk_is_said_and_the_session_goes_on(world: SessionWorld) -> None:
    async def full(handle: SandboxHandle, layer: LayerId) -> LayerId:
        raise SandboxError("The disk is full.", "Free some space.")

    world.sandboxes.snapshot = full  # type: ignore[method-assign]
    async with begun(world) as story:
        await turn_end(story.registry, story.session)
        await story.ask("two", 2)
        failed = [event.reason for event in await story.events() if isinstance(event, SnapshotFailed)]
    assert "The disk is full." in failed[0]


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


async def test_a_store_in_trouble_is_said_once_and_gets_everything_in_the_end(tmp_path: Path) -> None:
    clock, store = ManualClock(), TroubledStore(tmp_path / "layer-blobs")
    world = SessionWorld(tmp_path, engine(), clock)
    world.snapshots = Snapshots(world.sandboxes, store, tmp_path / "scratch")
    async with begun(world) as story:
        await until(story.registry, story.session, lambda state: state.store_failures == 1)
        clock.advance(60)
        await until(story.registry, story.session, lambda state: state.store_failures == 2)
        assert list(await store.names()) == []
        store.room = True
        clock.advance(300)
        await story.kept(1)
        again = [event.again for event in await story.events() if isinstance(event, SnapshotNotStored)]
    assert again == [False, True]
    assert len(list(await store.names())) >= 1
    assert list((tmp_path / "layer-blobs").glob(".*")) == []


async def test_a_sleeping_session_keeps_its_old_base_and_wakes_on_it(tmp_path: Path) -> None:
    clock = ManualClock()
    world = SessionWorld(tmp_path, engine(), clock)
    images = ImageWorld(tmp_path / "images", clock)
    old = LayerId("base-old")
    world.images.layers = (old,)
    world.policy = Policy(idle_seconds=60, commit_window_seconds=0)
    await world.begin()
    layers = tmp_path / "sandboxes" / "layers"
    for name in (old, "base-older"):
        await asyncio.to_thread(shutil.copytree, layers / BASE_LAYER, layers / name)
    async with begun(world) as story:
        await story.kept(1)
        named = NamedLayers(lambda: [story.session])
        named.registry = story.registry
        holders = Holders(named, nothing_in_force, LayerClaims(images.catalog, clock))
        collector = Collector(images.builds(), world.sandboxes, holders, Keep())
        clock.advance(61)
        await until(story.registry, story.session, lambda state: bool(state.restore and state.restore.asleep))
        assert await collector.collect() == ()
        clock.advance(8 * 86_400)
        assert await collector.collect() == ("base-older",)
        world.images.layers = (BASE_LAYER,)
        await story.ask("two", 2)
        assert story.files() == ["one.txt", "sum.txt", "two.txt"]
        assert await story.starts() == ["cold", "restored"]
        assert await story.problems() == []


async def nothing_in_force() -> set[LayerId]:
    """Another base is asked for by now."""
    return set()
