"""The actor: order, storage first, effects that follow the state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.errors import LimitReached, NotFound, OutriderError, Refused
from outrider.model.events import RECORDED, Recorded
from outrider.model.rows import Row
from outrider.model.sandbox import SandboxHandle
from outrider.ports.store import SessionLog
from outrider.session.actor import LONGEST_INBOX, RETRY_SECONDS, Actor
from outrider.session.feed import Hub
from outrider.session.fold import begin, fold_all
from outrider.session.policy import Policy
from outrider.testing.manual_clock import START, ManualClock
from outrider.testing.memory_store import MemorySessionLogs
from outrider.testing.playbook import BOB, SESSION, prompt_id, sandbox_is_ready, session_created
from outrider.testing.session_world import new_prompt


class Bench:
    """Notes what it is asked to do; `answers` says what comes back, None for never."""

    def __init__(self, clock: ManualClock | None = None, window: float = 0.0) -> None:
        self.clock = clock or ManualClock()
        self.policy = Policy(commit_window_seconds=window)
        self.idle_seconds = self.policy.idle_seconds
        self.begun: list[x.Effect] = []
        self.ended: list[x.Effect] = []
        self.commits = 0
        self.slow_end = asyncio.Event()
        self.slow_end.set()

    async def perform(self, effect: x.Effect, actor: Actor) -> c.Command:
        self.begun.append(effect)
        try:
            await asyncio.Event().wait()
        finally:
            await self.slow_end.wait()
            self.ended.append(effect)
        raise AssertionError

    def committed(self, actor: Actor) -> None:
        self.commits += 1


class FullDisk:
    """A log that refuses until there is room."""

    def __init__(self, log: SessionLog) -> None:
        self.log, self.full = log, True

    def append_encoded(self, rows: list[Row]) -> None:
        if self.full:
            raise LimitReached("The disk is full.")
        self.log.append_encoded(rows)


def make(bench: Bench) -> Actor:
    log = MemorySessionLogs().create(SESSION)
    first = Recorded(seq=1, at=START, event=session_created())
    log.append([first])
    return Actor(log, begin(first), Hub(0.0), bench)


@asynccontextmanager
async def alive(actor: Actor) -> AsyncIterator[Actor]:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(actor.run(), name="actor")
        try:
            yield actor
        finally:
            actor.close()


async def turns_over(times: int = 5) -> None:
    """Let every task that can run do so."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_what_is_answered_is_stored():
    bench = Bench()
    async with alive(make(bench)) as actor:
        assert await actor.ask(c.QueuePrompt(new_prompt("mend it"))) == 2
        assert actor.log.last_seq() == 4
        assert await actor.ask(c.RecordUsage(e.Usage(call="a", model="m", input_tokens=1, output_tokens=1))) == 5
        assert await actor.ask(c.TimerFired("idle")) == 0
    stored = [RECORDED.validate_json(body) for body in actor.log.read_encoded(0, 100)]
    assert fold_all(begin(stored[0]), stored[1:]) == actor.state


async def test_a_refusal_reaches_who_asked_and_nobody_else():
    async with alive(make(Bench())) as actor:
        async with asyncio.TaskGroup() as tasks:
            bad = tasks.create_task(_outcome(actor.ask(c.StopTurn(by=BOB))), name="bad")
            good = tasks.create_task(_outcome(actor.ask(c.QueuePrompt(new_prompt("x")))), name="good")
        assert isinstance(bad.result(), Refused)
        assert good.result() == 2


async def test_effects_follow_the_state():
    bench = Bench()
    async with alive(make(bench)) as actor:
        await actor.ask(c.QueuePrompt(new_prompt("mend it")))
        await turns_over()
        assert [type(effect) for effect in bench.begun] == [x.StartSandbox]
        box = actor.state.sandbox.id
        await actor.ask(c.Report(sandbox_is_ready(SandboxHandle(id=box, provider="fake"))))
        await turns_over()
        assert [type(effect) for effect in bench.begun] == [x.StartSandbox, x.SyncWorkspace, x.RunTurn]
        await actor.ask(c.SandboxVanished(box, 1, "gone"))
        await turns_over()
        assert [type(effect) for effect in bench.ended] == [x.RunTurn, x.SyncWorkspace, x.StartSandbox]
        assert bench.begun[-1] == x.StartSandbox(box, 2)
    assert len(bench.ended) == 4


async def test_what_is_no_longer_wanted_ends_before_what_is_newly_wanted_begins():
    bench = Bench()
    async with alive(make(bench)) as actor:
        await actor.ask(c.QueuePrompt(new_prompt("mend it")))
        await turns_over()
        bench.slow_end.clear()
        await actor.ask(c.SandboxVanished(actor.state.sandbox.id, 1, "gone"))
        await turns_over()
        assert len(bench.begun) == 1
        bench.slow_end.set()
        await turns_over()
        assert len(bench.begun) == 2


async def test_a_decision_that_breaks_harms_no_other(caplog: pytest.LogCaptureFixture):
    async with alive(make(Bench())) as actor:
        with pytest.raises(OutriderError, match="inside Outrider"):
            await actor.ask("no command at all")
        assert await actor.ask(c.QueuePrompt(new_prompt("x"))) == 2
    assert "KeyError" in caplog.text


async def test_a_full_disk_is_told_and_what_the_world_reported_is_kept():
    bench = Bench()
    actor = make(bench)
    full = actor.log = FullDisk(actor.log)
    async with alive(actor):
        actor.tell(c.Report(e.ProblemReported(sentence="Kept.")))
        with pytest.raises(LimitReached):
            await actor.ask(c.QueuePrompt(new_prompt("x")))
        assert actor.state.seq == 1
        full.full = False
        await turns_over()
        bench.clock.advance(RETRY_SECONDS)
        await actor.ask(c.QueuePrompt(new_prompt("y")))
    said = [event.event.type for event in full.log.read(0, 10)]
    assert said == ["session_created", "problem_reported", "prompt_queued", "sandbox_requested", "turn_started"]


async def test_a_busy_session_gathers_and_an_idle_one_does_not():
    clock = ManualClock()
    bench = Bench(clock, window=0.005)
    async with alive(make(bench)) as actor:
        for number in range(3):
            await actor.ask(c.QueuePrompt(new_prompt(str(number))))
        assert bench.commits == 3
        for number in range(10):
            actor.tell(c.QueuePrompt(new_prompt(str(number))))
            await turns_over()
        assert bench.commits == 3
        clock.advance(0.005)
        await turns_over()
        assert bench.commits == 4
        clock.advance(1)
        await actor.ask(c.QueuePrompt(new_prompt("alone")))
        assert bench.commits == 5


async def test_a_closed_actor_refuses_and_keeps_the_last_words():
    bench = Bench()
    actor = make(bench)
    async with alive(actor):
        actor.tell(c.Report(e.ProblemReported(sentence="Last words.")))
    assert actor.log.last_seq() == 2
    with pytest.raises(Refused):
        await actor.ask(c.WithdrawPrompt(prompt_id(1), by=BOB))


async def test_a_full_inbox_refuses_people():
    actor = make(Bench())
    for _ in range(LONGEST_INBOX):
        actor.tell(c.TimerFired("idle"))
    with pytest.raises(LimitReached):
        await actor.ask(c.QueuePrompt(new_prompt("x")))
    async with alive(actor):
        await turns_over()
        with pytest.raises(NotFound):
            await actor.ask(c.WithdrawPrompt(prompt_id(1), by=BOB))


async def _outcome(asking: object) -> object:
    try:
        return await asking
    except Refused as error:
        return error
