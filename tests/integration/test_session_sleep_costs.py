"""Sessions that sleep cost nothing: no file, no task, no process, nobody in memory; who watches stays attached."""

import asyncio
import gc
import os
from contextlib import AsyncExitStack
from pathlib import Path

from outrider.model.commands import QueuePrompt
from outrider.model.events import Recorded
from outrider.model.ids import SessionId, new_id
from outrider.ports.store import Wanted
from outrider.session.policy import Policy
from outrider.session.registry import TAKEN_UP_AT_ONCE, Registry
from outrider.session.roster import HOUSEKEEPING_SECONDS
from outrider.session.state import State
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.manual_clock import ManualClock
from outrider.testing.playbook import session_created
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

IDLE_SECONDS = 600.0
REST_SECONDS = Policy().rest_seconds


class Costs:
    """What this process holds."""

    def __init__(self) -> None:
        gc.collect()
        self.files = len(list(Path("/proc/self/fd").iterdir()))
        self.tasks = len(asyncio.all_tasks())
        self.children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Costs) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.files} files, {self.tasks} tasks, {len(self.children)} children"

    __hash__ = None  # type: ignore[assignment]


def kept(state: State) -> bool:
    """Whether the newest turn's files are stored: only then its idle time begins."""
    return any(state.last_end and one.turn == state.last_end.turn and one.stored for one in state.snapshots)


async def asleep(world: SessionWorld, clock: ManualClock, registry: Registry, sessions: list[SessionId]) -> None:
    """Every session has had its idle time, and nobody is awake."""
    for session in sessions:
        await until(registry, session, kept)
    clock.advance(IDLE_SECONDS + 1)
    for session in sessions:
        await until(registry, session, lambda state: bool(state.restore and state.restore.asleep))
        await until(registry, session, lambda state: all(one.stored for one in state.snapshots))
    rested = 0
    while registry.busy.awake or any(task.get_name().startswith("session s-") for task in asyncio.all_tasks()):
        clock.advance(5)
        rested += 5
        assert rested < 10 * REST_SECONDS, "sessions at rest stay awake"
        await asyncio.to_thread(gc.collect)  # logs are closed in threads: let them
    assert await world.sandboxes.list({}) == []


async def test_sleeping_sessions_cost_no_file_no_task_and_no_process_and_watchers_stay(tmp_path: Path):
    clock = ManualClock()
    world = SessionWorld(tmp_path, FakeEngine({"one": [write_file("one.txt", "one\n")], "": []}), clock)
    world.policy = Policy(idle_seconds=IDLE_SECONDS, commit_window_seconds=0, delta_window_seconds=0)
    repository = await world.begin()
    async with running(world.registry()) as registry, AsyncExitStack() as stack:

        async def some(number: int) -> list[SessionId]:
            made = []
            for _ in range(number):
                made.append(await registry.create(new_session(repository, world.source.head(), "one")))
                await turn_end(registry, made[-1])
            await asleep(world, clock, registry, made)
            return made

        [first] = await some(1)
        frames = await stack.enter_async_context(registry.attach(first, 0))
        assert b"session_created" in await anext(frames)
        before = Costs()
        more = await some(3)
        assert Costs() == before
        await registry.ask(first, QueuePrompt(new_prompt("look")))
        seen = b""
        while b"turn_ended" not in seen:
            seen = await anext(frames)
        await asleep(world, clock, registry, [first, *more])


async def test_a_session_with_a_sandbox_is_not_at_rest_and_one_without_is_only_for_its_time(tmp_path: Path):
    clock = ManualClock()
    world = SessionWorld(tmp_path, FakeEngine({"": []}), clock)
    world.policy = Policy(idle_seconds=IDLE_SECONDS, commit_window_seconds=0, delta_window_seconds=0)
    repository = await world.begin()

    async def passes(seconds: float) -> None:
        for _ in range(int(seconds / HOUSEKEEPING_SECONDS)):
            clock.advance(HOUSEKEEPING_SECONDS)
            for _ in range(20):
                await asyncio.sleep(0)

    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "one"))
        await turn_end(registry, session)
        await until(registry, session, kept)
        await passes(5 * REST_SECONDS)
        assert registry.busy.awake == 1  # its sandbox waits for its idle time
        clock.advance(IDLE_SECONDS)
        await until(registry, session, lambda state: bool(state.restore and state.restore.asleep))
        await until(registry, session, lambda state: all(one.stored for one in state.snapshots))
        await passes(REST_SECONDS - 2 * HOUSEKEEPING_SECONDS)
        assert registry.busy.awake == 1  # at rest, but not for long enough
        await registry.state(session)
        await passes(REST_SECONDS - 2 * HOUSEKEEPING_SECONDS)
        assert registry.busy.awake == 1  # it was looked at meanwhile
        await passes(4 * HOUSEKEEPING_SECONDS)
        assert registry.busy.awake == 0
        assert (await registry.state(session)).seq > 0


def write_logs(logs: SqliteSessionLogs, sessions: list[SessionId], clock: ManualClock) -> None:
    for session in sessions:
        log = logs.create(session)
        log.append([Recorded(seq=1, at=clock.now(), event=session_created(session))])
        log.close()


async def test_a_start_over_many_sessions_that_are_not_in_the_index_keeps_few_of_them_awake(tmp_path: Path):
    clock = ManualClock()
    world = SessionWorld(tmp_path, FakeEngine({}), clock)
    world.policy = Policy(awake_sessions=10)
    sessions = [SessionId(new_id("s")) for _ in range(2 * TAKEN_UP_AT_ONCE + 5)]
    await asyncio.to_thread(write_logs, world.logs(), sessions, clock)
    async with running(world.registry()) as registry:
        most = 0
        while len(await world.index.choose(Wanted(), limit=500)) < len(sessions):
            most = max(most, registry.busy.awake)
            clock.advance(0.001)
            await asyncio.sleep(0)
    assert 10 <= most <= TAKEN_UP_AT_ONCE + 10


async def test_a_session_that_sleeps_is_read_without_being_woken_and_whoever_wakes_it_meanwhile_waits(tmp_path: Path):
    clock = ManualClock()
    world = SessionWorld(tmp_path, FakeEngine({}), clock)
    world.policy = Policy(awake_sessions=0)
    session = SessionId(new_id("s"))
    await asyncio.to_thread(write_logs, world.logs(), [session], clock)
    async with running(world.registry()) as registry:
        await registry.taken_up.wait()
        await asleep(world, clock, registry, [])
        read = await registry.state(session, wake=False)
        assert (read.session, registry.busy.awake) == (session, 0)
        looked, woken = await asyncio.gather(registry.state(session, wake=False), registry.state(session))
        assert looked.seq <= woken.seq
        assert registry.busy.awake == 1
        assert await registry.state(session, wake=False) is await registry.state(session)
