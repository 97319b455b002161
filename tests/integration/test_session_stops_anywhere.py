"""A stop at any moment of a turn leaves no process of it, keeps its work, and nothing in the way of the next turn."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt, StopTurn
from outrider.model.effects import StopEngine
from outrider.model.engine import PermissionAsk, ToolKind
from outrider.model.errors import SandboxLost
from outrider.model.events import RECORDED, KeptWork, TextSealed, TurnEnded, TurnEndReason, TurnInterrupted
from outrider.model.ids import SessionId, ToolCallId
from outrider.model.sandbox import SandboxHandle, SandboxSpec
from outrider.ports.sandbox import Guest
from outrider.session.effects import LIMITS_SECONDS
from outrider.session.effects.stop_engine import CANCEL_SECONDS, REACH_SECONDS
from outrider.session.outbox import STOP_GRACE_SECONDS
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, Stage, StubbornEngine, hang, say, shell, write_file
from outrider.testing.manual_clock import ManualClock
from outrider.testing.playbook import ADA, BOB
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

MARK = f"{secrets.randbelow(90_000) + 10_000}"
"""Stands in the command line of everything that a stopped turn starts."""

LEAVE = (
    f"nohup sleep {MARK} >/dev/null 2>&1 & setsid -f sleep {MARK} >/dev/null 2>&1; "
    f"sh -c 'trap \"\" TERM HUP INT; sleep {MARK} & sleep {MARK}; wait' & "
    f"(setsid sh -c '(sleep {MARK} &)' >/dev/null 2>&1 &); sleep {MARK}"
)
STARTED = 6

STOP_SECONDS = 3
KILL_RESERVE = 0.5
"""What is left for the kill itself, which takes some hundredths of a second."""

ONCE = f'setup = ["""test -e $HOME/once || {{ touch $HOME/once; {LEAVE}; }}"""]\n'


def left() -> list[str]:
    """What of a turn is alive."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if line.startswith("sleep") and MARK in line]


async def looked(condition: Callable[[], bool]) -> None:
    """Nobody tells us when a process begins: look again and again."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def stopped(registry: Registry, session: SessionId) -> TurnEnded:
    """Stop the turn, and have the next one work."""
    await registry.ask(session, StopTurn(by=BOB))
    ended = await turn_end(registry, session)
    assert left() == []
    assert ended.reason is TurnEndReason.STOPPED
    assert ended.message.startswith("Stopped by Bob.")
    await registry.ask(session, QueuePrompt(new_prompt("work")))
    assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED
    return ended


@dataclass
class Held:
    """Makes no sandbox until it is let go."""

    world: SessionWorld
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        self.asked.set()
        await self.go.wait()
        return await type(self.world.sandboxes).create(self.world.sandboxes, spec)


async def test_while_the_sandbox_starts(tmp_path: Path) -> None:
    world = SessionWorld(tmp_path, FakeEngine({"": []}))
    held = Held(world)
    world.sandboxes.create = held.create  # type: ignore[method-assign]
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await held.asked.wait()
        await registry.ask(session, StopTurn(by=BOB))
        held.go.set()
        ended = await turn_end(registry, session)
        assert (ended.kept, "The work had not begun." in ended.message) == (None, True)
        await registry.ask(session, QueuePrompt(new_prompt("work")))
        assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED


@pytest.mark.parametrize("asks", [False, True], ids=["syncing", "waiting for a permission"])
async def test_while_the_workspace_is_synced(tmp_path: Path, asks: bool) -> None:
    """What the engine wants to do waits for the sync: that is where it asks for permission and is not answered."""
    asked, allowed = asyncio.Event(), list[bool]()

    async def ask(stage: Stage) -> None:
        asked.set()
        wanted = PermissionAsk(tool_call=ToolCallId("call-1"), title="half.txt", kind=ToolKind.EDIT)
        allowed.append(await stage.listener.permission(wanted))

    engine = FakeEngine({"mend": [ask, write_file("half.txt", "1\n")] if asks else [hang()], "": []})
    world = SessionWorld(tmp_path, engine)
    world.source.commit("Set up", {"outrider.toml": ONCE})
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await looked(lambda: len(left()) >= STARTED)
        await until(registry, session, lambda state: state.turn is not None and state.turn.begun)
        await looked(lambda: asked.is_set() is asks)
        assert allowed == [], "it waits"
        ended = await stopped(registry, session)
    assert True not in allowed
    assert ended.kept is None or ended.kept.uncommitted == 0


async def test_while_it_talks(tmp_path: Path) -> None:
    spoke = asyncio.Event()

    async def spoken(_: Stage) -> None:
        spoke.set()

    world = SessionWorld(tmp_path, FakeEngine({"mend": [say("I begin by"), spoken, hang()], "": []}))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await until(registry, session, lambda state: state.synced)
        await spoke.wait()
        ended = await stopped(registry, session)
        rows = [RECORDED.validate_json(row).event for row in await registry.events(session, 0, 1000)]
    assert ended.message == "Stopped by Bob. Nothing had been changed."
    assert "".join(event.text for event in rows if isinstance(event, TextSealed)) == "I begin by"


HALF = shell("echo 2 >sum.txt; git add -A; git commit -qm 'Half of it'; echo 3 >rest.txt")


@pytest.mark.parametrize("stubborn", [False, True])
async def test_while_a_tool_runs(tmp_path: Path, stubborn: bool) -> None:
    steps = [HALF, shell(LEAVE)]
    engine = StubbornEngine(*steps) if stubborn else FakeEngine({"": steps})
    engine.plays = {"mend": engine.plays[""], "": []}
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await looked(lambda: len(left()) >= STARTED)
        ended = await stopped(registry, session)
    assert ended.kept is not None
    branch, head = f"outrider/{session}/work", ended.kept.head
    assert ended.kept == KeptWork(head=head, commits=1, branch=branch, uncommitted=1, files=("rest.txt",))
    assert "uncommitted changes to 1 file (rest.txt)" in ended.message


class NotingClock(ManualClock):
    """Keeps what was slept for."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


async def test_the_bounds_of_the_ladder_add_up(tmp_path: Path) -> None:
    """An engine that does not obey gets its time, and no more of it is needed until everything is dead."""
    clock, plays = NotingClock(), {"mend": [shell(LEAVE)], "": []}
    world = SessionWorld(tmp_path, FakeEngine(plays, stubborn=True), clock)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await looked(lambda: len(left()) >= STARTED)
        stop_at, before = clock.monotonic(), len(clock.slept)
        await registry.ask(session, StopTurn(by=BOB))
        await looked(lambda: CANCEL_SECONDS in clock.slept[before:])
        assert len(left()) >= STARTED, "the engine has its time"
        clock.advance(CANCEL_SECONDS)
        await looked(lambda: left() == [])
        assert STOP_GRACE_SECONDS + clock.monotonic() - stop_at + KILL_RESERVE <= STOP_SECONDS
        assert (await turn_end(registry, session)).reason is TurnEndReason.STOPPED


@pytest.mark.parametrize("reached", [True, False])
async def test_while_a_sandbox_that_outlived_its_server_is_not_reached(tmp_path: Path, reached: bool) -> None:
    """What the turn had started lives on in it: it is killed once it is reached, or with the sandbox."""
    clock = NotingClock()
    world = SessionWorld(tmp_path, FakeEngine({"mend": [shell(LEAVE)], "": []}), clock)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await looked(lambda: len(left()) >= STARTED)
        await world.killed()
    await world.restore()
    assert left(), "the sandbox goes on"
    connecting, go, connect = asyncio.Event(), asyncio.Event(), world.sandboxes.connect

    async def held(handle: SandboxHandle) -> Guest:
        connecting.set()
        await go.wait()
        return await connect(handle)

    world.sandboxes.connect = held  # type: ignore[method-assign]
    async with running(world.registry()) as registry:
        await connecting.wait()
        before = len(clock.slept)
        await registry.ask(session, StopTurn(by=BOB))
        if reached:
            go.set()
        else:
            await looked(lambda: REACH_SECONDS in clock.slept[before:])
            clock.advance(REACH_SECONDS)
        ended = await turn_end(registry, session)
        assert left() == []
        assert ended.reason is TurnEndReason.STOPPED


@pytest.mark.parametrize("how", ["is frozen", "is lost", "holds up the ladder"])
async def test_while_the_guest_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Whatever the ladder waits for: the sandbox is stopped before anybody is told of the end."""
    fails = how == "holds up the ladder"
    if fails:
        monkeypatch.setitem(LIMITS_SECONDS, StopEngine, 0.3)
    world = SessionWorld(tmp_path, FakeEngine({"mend": [shell(LEAVE)], "": []}))
    repository, connect = await world.begin(), world.sandboxes.connect

    async def mute(handle: SandboxHandle) -> Guest:
        world.sandboxes.connect = connect  # type: ignore[method-assign]
        guest = await connect(handle)
        guest.kill_everything = never  # type: ignore[method-assign]
        return guest

    async def never(*, spare: Sequence[str] = ()) -> int:
        if how != "is lost":
            await asyncio.Event().wait()
        raise SandboxLost("The sandbox went away.")

    world.sandboxes.connect = mute  # type: ignore[method-assign]
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await looked(lambda: len(left()) >= STARTED)
        ended = await stopped(registry, session)
    assert ended.message.endswith("so its sandbox was stopped.") is fails


async def test_what_was_writing_the_name_of_the_author_stands_in_no_way(tmp_path: Path) -> None:
    """A git that is killed leaves the lock of its file."""
    world = SessionWorld(tmp_path, FakeEngine({"mend": [shell("touch $HOME/.gitconfig.lock"), hang()], "work": [HALF]}))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "mend it"))
        await looked(lambda: any(tmp_path.rglob(".gitconfig.lock")))
        await stopped(registry, session)
        state = await registry.state(session)
        events = [RECORDED.validate_json(row).event for row in await registry.events(session, 0, 1000)]
    assert state.work is not None
    assert state.work.commits[0].subject == "Half of it"
    assert not any(isinstance(event, TurnInterrupted) for event in events)


@pytest.mark.parametrize("milliseconds", [0, 10, 25, 50, 100, 200])
async def test_whenever(tmp_path: Path, milliseconds: int) -> None:
    world = SessionWorld(tmp_path, FakeEngine({"hang": [hang()], "": []}))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "hang"))
        await asyncio.sleep(milliseconds / 1000)  # the moment is the point: each is another step cut off
        await registry.ask(session, StopTurn(by=ADA))
        await registry.ask(session, QueuePrompt(new_prompt("work")))
        assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED
