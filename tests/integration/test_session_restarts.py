"""Death of the server, of the log's owner, of memory: what a session keeps, and how it goes on by itself."""

import asyncio
from pathlib import Path

import pytest

from outrider.model.commands import Archive, QueuePrompt, StopTurn, Typing
from outrider.model.events import RECORDED, TurnEndReason
from outrider.model.ids import SandboxId, SessionId
from outrider.model.sandbox import SandboxSpec
from outrider.session.found import SESSION_LABEL
from outrider.session.policy import Policy
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, Stage, hang, say, shell, wait_for, write_file
from outrider.testing.playbook import ADA
from outrider.testing.session_world import (
    BASE_LAYER,
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
    until,
)

COMMIT = shell("git add -A && git commit -qm 'Mend the sum'")


async def events(registry: Registry, session: SessionId) -> list:
    return [RECORDED.validate_json(body).event for body in await registry.events(session, 0, 10_000)]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine({})


async def test_a_turn_goes_on_by_itself_after_a_kill(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    written = asyncio.Event()

    async def note(stage: Stage) -> None:
        written.set()

    engine.plays = {
        "was interrupted": [COMMIT],
        "mend": [write_file("sum.txt", "2\n"), note, hang()],
    }
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await registry.ask(session, QueuePrompt(new_prompt("then look")))
        await written.wait()
        await world.killed()
    await world.restore()
    async with running(world.registry()) as registry:
        await turn_end(registry, session, turns=2)
        state = await registry.state(session)
        told = await events(registry, session)
    assert [commit.subject for commit in state.work.commits] == ["Mend the sum"]
    [interrupted] = [event for event in told if event.type == "turn_interrupted"]
    assert "server was stopped" in interrupted.reason
    assert "server was stopped" in engine.prompts[1][0]
    assert engine.opened[1].resume == engine.sessions[0].id
    handed = [(event.attempt, event.round) for event in told if event.type == "prompt_handed"]
    assert handed == [(1, 1), (2, 1), (1, 1)]


async def test_an_engine_that_lost_its_memory_is_told_the_story(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    engine.plays = {"remember": [say("The number is 42.")], "": []}
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "remember 42"))
        await turn_end(registry, session)
    engine.sessions.clear()
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("what was it?")))
        await turn_end(registry, session, turns=2)
        told = await events(registry, session)
    assert [event.how for event in told if event.type == "engine_attached"] == ["new", "reseeded"]
    story = engine.prompts[-1][0]
    assert "Ada asked: remember 42" in story
    assert "You said: The number is 42." in story
    assert engine.prompts[-1][-1] == "what was it?"


async def test_a_prompt_that_no_engine_saw_is_handed_over_once(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    engine.plays = {"": []}
    registry = world.registry()
    async with running(registry):
        session = await registry.create(new_session(repository, world.source.head(), "look", key="k"))
        await world.killed()
    await world.restore()
    async with running(world.registry()) as registry:
        assert await registry.create(new_session(repository, world.source.head(), "look", key="k")) == session
        end = await turn_end(registry, session)
    assert end.reason is TurnEndReason.COMPLETED
    assert len(engine.prompts) == 1
    assert not any(event.type == "turn_interrupted" for event in await _stored(world, session))


async def test_a_stop_is_finished_after_a_kill(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    engine.plays, engine.stubborn = {"": [hang()]}, True
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "hang"))
        await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
        await registry.ask(session, StopTurn(by=ADA))
        await world.killed()
    await world.restore()
    async with running(world.registry()) as registry:
        end = await turn_end(registry, session)
    assert end.reason is TurnEndReason.STOPPED
    assert len(engine.prompts) == 1


async def test_a_sandbox_whose_files_are_gone_is_made_again_and_said(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    engine.plays = {"mend": [write_file("sum.txt", "2\n"), COMMIT], "": [shell("git log --format=%s > log.txt")]}
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await turn_end(registry, session)
    [info] = await world.sandboxes.list({})
    await world.sandboxes.destroy(info.handle)
    async with running(world.registry()) as registry:
        await registry.ask(session, QueuePrompt(new_prompt("look")))
        await turn_end(registry, session, turns=2)
        told = await events(registry, session)
        state = await registry.state(session)
    [problem] = [event for event in told if event.type == "problem_reported"]
    assert "changes that were not pushed are lost" in problem.sentence
    assert [commit.subject for commit in state.work.commits] == ["Mend the sum", "Finish: look"]


async def test_an_idle_session_falls_asleep_and_wakes_for_the_next_prompt(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    world.policy = Policy(idle_seconds=0.05, commit_window_seconds=0)
    repository = await world.begin()
    engine.plays = {"write": [write_file("a.txt", "x\n")], "": []}
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "write"))
        await until(registry, session, lambda state: state.turns == 1 and state.sandbox.phase.value == "stopped")
        assert await world.sandboxes.list({}) == []
        await registry.ask(session, QueuePrompt(new_prompt("again")))
        await turn_end(registry, session, turns=2)
        state = await registry.state(session)
    assert state.sandbox.start == 2
    assert (await world.index.get(session)).status in {"idle", "asleep"}


async def test_typing_in_a_sleeping_session_wakes_its_sandbox(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    world.policy = Policy(idle_seconds=0.05, commit_window_seconds=0)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        await until(registry, session, lambda state: state.turns == 1 and state.sandbox.phase.value == "stopped")
        await registry.ask(session, Typing(by=ADA, at=world.clock.now()))
        await until(registry, session, lambda state: state.synced)
        await until(registry, session, lambda state: state.sandbox.phase.value == "stopped")
    assert len(engine.opened) == 1


async def test_archiving_leaves_no_sandbox(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        await turn_end(registry, session)
        await registry.ask(session, Archive(by=ADA))
        await until(registry, session, lambda state: state.sandbox.phase.value == "stopped")
    assert await world.sandboxes.list({}) == []
    assert (await world.index.get(session)).status == "archived"


async def test_sandboxes_of_no_session_are_reaped_at_start(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    for box, labels in (("box-aaaa", {SESSION_LABEL: "s-gone"}), ("box-bbbb", {"clean": "the checks"})):
        await world.sandboxes.create(SandboxSpec(id=SandboxId(box), layers=(BASE_LAYER,), labels=labels))
    engine.plays = {"": []}
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        await turn_end(registry, session)
    left = [info.labels for info in await world.sandboxes.list({})]
    assert {"clean": "the checks"} in left
    assert {SESSION_LABEL: "s-gone"} not in left
    assert {SESSION_LABEL: session} in left


async def test_the_index_is_mended_at_start(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    gate = asyncio.Event()
    engine.plays = {"": [wait_for(gate)]}
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        gate.set()
        await turn_end(registry, session)
    world.index._rows.clear()
    async with running(world.registry()) as registry:
        await registry.taken_up.wait()
    assert (await world.index.get(session)).status == "idle"


async def test_a_broken_log_harms_no_other_session(
    tmp_path: Path, engine: FakeEngine, caplog: pytest.LogCaptureFixture
):
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    engine.plays = {"": []}
    broken = tmp_path / "sessions" / "s-aaaaaaaaaa"
    broken.mkdir(parents=True)
    (broken / "log.sqlite").write_bytes(b"this is not a database at all" * 100)
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        assert (await turn_end(registry, session)).reason is TurnEndReason.COMPLETED
    assert "s-aaaaaaaaaa cannot be taken up" in caplog.text


async def _stored(world: SessionWorld, session: SessionId) -> list:
    async with running(world.registry()) as registry:
        return await events(registry, session)
