"""Session logs that were torn, zeroed or overwritten: kept aside, read as far as they can be, and everybody else is
served."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt
from outrider.model.errors import DamagedLog, OutriderError
from outrider.model.events import Event, LogSalvaged, Recorded, SessionCreated, TurnEnded
from outrider.model.ids import SessionId
from outrider.session.forking import NamedLayers
from outrider.session.registry import Registry
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

PAGE = 1024


@pytest.fixture
def world(tmp_path: Path) -> SessionWorld:
    """Its engine writes one line a prompt."""
    names = ("one", "two", "more")
    return SessionWorld(tmp_path, FakeEngine({name: [write_file(f"{name}.txt", name)] for name in names} | {"": []}))


async def two_sessions(world: SessionWorld) -> tuple[SessionId, SessionId]:
    """At rest, after one turn each."""
    repository = await world.begin()
    async with running(world.registry()) as registry:
        sessions = [await registry.create(new_session(repository, world.source.head(), "one")) for _ in range(2)]
        for session in sessions:
            await turn_end(registry, session)
            await until(registry, session, lambda state: bool(state.snapshots) and state.snapshots[-1].stored)
    return sessions[0], sessions[1]


def log_of(world: SessionWorld, session: SessionId) -> Path:
    """Its file."""
    return world.folder / "sessions" / session / "log.sqlite"


async def told(registry: Registry, session: SessionId) -> list[Event]:
    """Its events."""
    return [Recorded.model_validate_json(row).event for row in await registry.events(session, 0, 1000)]


async def works_on(registry: Registry, session: SessionId, turns: int) -> bool:
    """Whether a prompt is answered."""
    await registry.ask(session, QueuePrompt(new_prompt("more")))
    return (await turn_end(registry, session, turns=turns)).reason.value == "completed"


def garbage(content: bytes) -> bytes:
    return b"\xde\xad" * (len(content) // 2)


def zeros(content: bytes) -> bytes:
    return bytes(len(content))


def nothing(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [garbage, zeros, nothing])
async def test_a_log_of_which_nothing_can_be_read_is_put_aside_and_harms_nobody(
    world: SessionWorld, damage: Callable[[bytes], bytes]
):
    lost, other = await two_sessions(world)
    before = damage(log_of(world, lost).read_bytes())
    log_of(world, lost).write_bytes(before)
    async with running(world.registry()) as registry:
        assert await works_on(registry, other, turns=2)
        with pytest.raises(DamagedLog, match=r"nothing of it can be read.*damaged-1"):
            await registry.state(lost)
        with pytest.raises(DamagedLog):
            await registry.events(lost, 0, 10)
        logs = SqliteSessionLogs(world.folder / "sessions")
        layers = NamedLayers(logs.ids, logs.damaged)
        layers.registry = registry
        with pytest.raises(OutriderError, match="may name anything"):
            await layers()
    row = await world.index.get(lost)
    assert row is not None
    assert row.status == "damaged"
    assert (log_of(world, lost).parent / "damaged-1/log.sqlite").read_bytes() == before
    assert await world.sandboxes.list({"session": lost}), "its sandbox is kept"


async def test_a_log_that_was_put_aside_can_be_restored(world: SessionWorld):
    lost, _ = await two_sessions(world)
    whole = log_of(world, lost).read_bytes()
    log_of(world, lost).write_bytes(b"")
    async with running(world.registry()) as registry:
        with pytest.raises(DamagedLog):
            await registry.state(lost)
    log_of(world, lost).write_bytes(whole)
    async with running(world.registry()) as registry:
        assert await works_on(registry, lost, turns=2)
    row = await world.index.get(lost)
    assert row is not None
    assert row.status != "damaged"


@pytest.mark.parametrize("how", ["truncated", "zeroed pages"])
async def test_what_can_be_read_goes_on_at_rest_and_says_what_is_lost(world: SessionWorld, how: str):
    torn, _ = await two_sessions(world)
    path = log_of(world, torn)
    content = path.read_bytes()
    keep = len(content) * 2 // 3 // PAGE * PAGE
    path.write_bytes(content[:keep] + (b"" if how == "truncated" else bytes(len(content) - keep)))
    async with running(world.registry()) as registry:
        events = await told(registry, torn)
        assert isinstance(events[0], SessionCreated)
        [salvaged] = [event for event in events if isinstance(event, LogSalvaged)]
        assert 0 < salvaged.kept < len(content)
        assert (Path(salvaged.place) / "log.sqlite").stat().st_size == path.parent.joinpath(
            "damaged-1/log.sqlite"
        ).stat().st_size
        state = await registry.state(torn)
        assert (state.turn, state.queue) == (None, ())
        open_turn = [event for event in events if isinstance(event, TurnEnded) and "log was damaged" in event.message]
        assert len(open_turn) <= 1
        assert await works_on(registry, torn, turns=state.turns + 1)
