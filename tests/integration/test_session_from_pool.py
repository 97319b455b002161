"""Sessions that start from the pool: real git, processes in folders, a scripted engine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outrider.app.warm_plans import RecipeWarmPlans
from outrider.fleet.clean import reap_left_behind
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.memory import Memory
from outrider.fleet.pool.pool import Pool, PoolPolicy, Room
from outrider.fleet.pool.warm import POOL_LABEL, Warm, WarmMaker
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.model.commands import QueuePrompt
from outrider.model.engine import ModelRef
from outrider.model.errors import Refused
from outrider.model.events import RECORDED, SandboxReady, SyncFinished
from outrider.model.ids import BuildId, LayerId, SessionId
from outrider.model.image import RepositoryImage
from outrider.model.pool import PoolKey
from outrider.model.repository import Repository
from outrider.model.sandbox import GUEST_HOME, WORKSPACE, Limits, SandboxHandle
from outrider.ports.clock import SystemClock
from outrider.proof.recipes import Recipes
from outrider.session.found import SESSION_LABEL
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, say, shell
from outrider.testing.fake_layers import read_saved
from outrider.testing.playbook import ADA
from outrider.testing.session_world import (
    BASE_LAYER,
    TOOLBOX_LAYER,
    Sandboxes,
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
)

MODEL, OTHER = ModelRef.parse("rehearsal/demo"), ModelRef.parse("openai/gpt-5.1")
COMMIT = shell("echo 2 >sum.txt && git add -A && git commit -qm 'Mend the sum'")
PLENTY = Memory(total=64 << 30, left=48 << 30)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine({"mend": [say("I mend it."), COMMIT]})


async def with_image(world: SessionWorld) -> Repository:
    """The repository brought in, and an image of its branch."""
    repository = await world.begin()
    checkout = world.folder / "sandboxes" / "layers" / "layer-image" / WORKSPACE.lstrip("/")
    clone = await asyncio.create_subprocess_exec("git", "clone", "-q", str(world.forge.mirror(repository)), checkout)
    assert await clone.wait() == 0
    image = RepositoryImage(
        build=BuildId("build-aaaa"),
        repository=repository.name,
        branch="main",
        commit=world.source.head(),
        layers=(BASE_LAYER, LayerId("layer-image")),
        toolbox=TOOLBOX_LAYER,
        recipe="r",
        built_at=world.clock.now(),
    )
    await world.image_catalog.put_image(image)
    return repository


def pool_of(
    world: SessionWorld, model: ModelRef = MODEL, shortage: Callable[[], Refused | None] = lambda: None
) -> Pool:
    makes = WarmMaker(world.sandboxes, world.broker, world.engine, SystemClock(), Limits())
    images = RepositoryImages(world.image_catalog, world.sandboxes)
    plans = RecipeWarmPlans(images, world.forge, Recipes(GitQuarantine(world.folder / "recipes")))
    room = Room(SandboxSlots(4), lambda: PLENTY, shortage)
    return Pool(makes, plans, room, SystemClock(), PoolPolicy(4, model))


@asynccontextmanager
async def warmed(world: SessionWorld, pool: Pool, repository: Repository) -> AsyncIterator[Registry]:
    """A server whose pool has one ready."""
    world.pool = pool
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(pool.run(), name="pool")
        key = PoolKey(repository=repository.name, branch="main")
        await one_ready(pool, key)
        async with running(world.registry()) as registry:
            yield registry
        task.cancel()


async def one_ready(pool: Pool, key: PoolKey) -> None:
    async with asyncio.timeout(30):
        while not (lease := await pool.hold(key, pool.policy.model, ADA.email)) or not lease.ready:
            await SystemClock().sleep(0.01)


async def events(registry: Registry, session: SessionId) -> list:
    return [RECORDED.validate_json(body).event for body in await registry.events(session, 0, 10_000)]


def ready(told: list) -> list[SandboxReady]:
    return [event for event in told if isinstance(event, SandboxReady)]


async def test_a_session_takes_over_a_warm_sandbox_with_its_engine(tmp_path: Path, engine: FakeEngine) -> None:
    world = SessionWorld(tmp_path, engine)
    repository = await with_image(world)
    pool = pool_of(world)
    async with warmed(world, pool, repository) as registry:
        warm_id = pool.report().sandboxes[0].id
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await turn_end(registry, session)
        await registry.ask(session, QueuePrompt(new_prompt("mend it again")))
        await turn_end(registry, session, turns=2)
        state, told = await registry.state(session), await events(registry, session)
        [row] = await world.sandboxes.list({SESSION_LABEL: session})
        assert pool.report().counts.hits == 1
    [started] = ready(told)
    assert (started.how, started.handle.id, row.handle.id) == ("warm", warm_id, warm_id)
    assert [step.name for step in started.steps] == ["slot", "pool", "relabel", "warm", "door", "files"]
    assert started.layers
    [synced] = [event for event in told if isinstance(event, SyncFinished)]
    assert [step.name for step in synced.steps] == ["recipe", "checkout", "services"]
    assert row.labels[SESSION_LABEL] == session
    assert POOL_LABEL not in row.labels
    assert session in [door.owner for door in world.broker.doors]
    assert [prompt for prompt in engine.prompts if prompt != ("mend it",)] == [("mend it again",)]
    assert engine.sessions[0].primed
    assert state.engine_session == engine.sessions[0].id
    assert [commit.author for commit in state.work.commits] == [ADA]
    assert state.spending.calls == 0


async def test_start_commands_run_in_the_pool_and_not_again(tmp_path: Path, engine: FakeEngine) -> None:
    world = SessionWorld(tmp_path, engine)
    world.source.commit("Start", {"outrider.toml": "start = ['echo up >>$HOME/up.log']\n[limits]\nprocesses = 77\n"})
    repository = await with_image(world)
    async with warmed(world, pool_of(world), repository) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await turn_end(registry, session)
        [started] = ready(await events(registry, session))
        saved = read_saved(tmp_path / "sandboxes" / "boxes" / started.handle.id)
        assert saved is not None
        log = world.sandboxes.root(started.handle.id) / GUEST_HOME.lstrip("/") / "up.log"
        assert started.how == "warm"
        assert await asyncio.to_thread(log.read_text) == "up\n"
    assert (saved.spec.limits.processes, saved.spec.background) == (77, False)


async def test_an_engine_of_another_model_is_started_anew_in_it(tmp_path: Path, engine: FakeEngine) -> None:
    world = SessionWorld(tmp_path, engine)
    repository = await with_image(world)
    async with warmed(world, pool_of(world, OTHER), repository) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await turn_end(registry, session)
        assert ready(await events(registry, session))[0].how == "warm"
        own = (await registry.state(session)).engine_session
    [number] = [number for number, opened in enumerate(engine.sessions) if opened.id == own]
    assert (engine.opened[0].model, engine.sessions[0].alive, engine.opened[number].model) == (OTHER, False, MODEL)


async def test_a_dead_one_is_replaced_by_another_way(tmp_path: Path, engine: FakeEngine) -> None:
    world = SessionWorld(tmp_path, engine)
    repository = await with_image(world)
    short: list[Refused] = []
    pool = pool_of(world, shortage=lambda: short[0] if short else None)
    async with warmed(world, pool, repository) as registry:
        short.append(Refused("No more of them."))
        for info in await world.sandboxes.list({POOL_LABEL: f"{repository.name} main"}):
            await world.sandboxes.destroy(info.handle)
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await turn_end(registry, session)
        assert ready(await events(registry, session))[0].how == "image"
        assert pool.report().counts.hits == 0


@dataclass
class DyingServer:
    """A pool whose server is killed while a sandbox is handed over: nothing of ours runs any more after that."""

    pool: Pool
    given: list[Warm] = field(default_factory=list)

    async def take(self, key: PoolKey, model: ModelRef, person: str) -> Warm | None:
        found = await self.pool.take(key, model, person)
        self.given += [found] if found else []
        return found

    def lost(self) -> None:
        """Nobody is left to count."""

    async def discard(self, warm: Warm) -> None:
        """Nobody is left to clean up."""


class HeldRelabel(Sandboxes):
    """Stands still before or after the label is written, for ever."""

    after: bool = False

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self.reached = asyncio.Event()

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        if self.after:
            await super().relabel(handle, labels)
        self.reached.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("after", [False, True])
async def test_a_server_killed_in_the_middle_leaves_one_of_two_clean_states(
    tmp_path: Path, engine: FakeEngine, after: bool
) -> None:
    """Before the label is written the sandbox is the pool's, and goes; after it, it is the session's, and adopted."""
    world = SessionWorld(tmp_path, engine)
    repository = await with_image(world)
    held = HeldRelabel(tmp_path / "sandboxes")
    held.after, world.sandboxes = after, held
    pool = pool_of(world)
    dying = DyingServer(pool)
    async with warmed(world, pool, repository) as first:
        del first
        world.pool = dying
        async with running(world.registry()) as registry:
            session = await registry.create(new_session(repository, world.source.head(), "mend it"))
            await held.reached.wait()
    [taken] = dying.given
    world.pool = SessionWorld(tmp_path / "spare", engine).pool
    world.sandboxes = Sandboxes(tmp_path / "sandboxes")
    assert await reap_left_behind(world.sandboxes, POOL_LABEL) == (0 if after else 1)
    async with running(world.registry()) as registry:
        await turn_end(registry, session)
        [started] = ready(await events(registry, session))
        rows = await world.sandboxes.list({})
    assert started.how == ("adopted" if after else "image")
    assert (started.handle == taken.handle) is after
    assert [row.labels[SESSION_LABEL] for row in rows] == [session]
