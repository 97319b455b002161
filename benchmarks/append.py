"""B4: events through the actor into a session's log, beside a bare sqlite3 loop and a durable append in C."""

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, median, percentile
from benchmarks.floors import sqlite_loop
from benchmarks.floors.durable_append import durable_append_us
from benchmarks.sessions import event, opening
from outrider.model.commands import Command, Report
from outrider.model.effects import Effect
from outrider.model.events import Recorded
from outrider.model.ids import SessionId, new_id
from outrider.model.rows import Row, row
from outrider.ports.clock import Clock, SystemClock
from outrider.session.actor import Actor
from outrider.session.feed import Hub
from outrider.session.fold import begin
from outrider.session.policy import Policy
from outrider.storage.session_log import SqliteSessionLogs

SESSIONS = 100
EVENTS_PER_SECOND = 20
TOLD_AT_ONCE = 100
"""Events that a flood brings before the loop gets its turn: about what one read of a socket holds."""


@dataclass
class Bench:
    """What an actor works with when nothing but its log is measured."""

    clock: Clock = field(default_factory=SystemClock)
    policy: Policy = field(default_factory=Policy)
    commits: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def idle_seconds(self) -> float:
        """As the deployment has it."""
        return self.policy.idle_seconds

    async def perform(self, effect: Effect, actor: Actor) -> Command:
        """Nothing of what these sessions do calls for an effect."""
        raise AssertionError(effect)

    def committed(self, actor: Actor) -> None:
        """One transaction more."""
        self.commits += 1
        self.changed.set()


async def append(*, quick: bool) -> list[Figure]:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        floods = await flood(folder, events=5_000 if quick else 20_000, repeats=3 if quick else 7)
        steady = await _steady(folder, seconds=2 if quick else 20)
        floor = await asyncio.to_thread(durable_append_us, folder)
    return [*floods, *_steady_figures(steady, floor, 2 if quick else 20)]


async def flood(folder: Path, *, events: int, repeats: int) -> list[Figure]:
    """One session flat out through its actor, its log alone, and the same bytes in as many transactions by a bare loop,
    in turn after a warm-up. All are bound by the processor, so its time is counted: what else runs on the machine does
    not matter then."""
    actor, log, bare, batches = [], [], [], []
    for number in range(repeats + 1):
        took, batch, records = await _flood_once(folder, events)
        rows = [row(record) for record in records]
        alone = _append_alone(folder, rows, batch)
        looped = sqlite_loop.append(folder / f"bare-{number}.sqlite", rows, batch)
        if number:
            actor.append(events / took)
            log.append(events / alone)
            bare.append(events / looped)
            batches.append(batch)
    workload = f"{events} events of 300 bytes, {median(batches):.0f} a transaction, median of {repeats}"
    return [
        _rate("B4 append, one session flat out", workload, median(actor), median(bare)),
        _rate("B4 append, the log alone", workload, median(log), median(bare)),
    ]


def _rate(name: str, workload: str, ours: float, bare: float) -> Figure:
    unit = "events per CPU second"
    return Figure(name, workload, ours, unit, bare, "bare sqlite3 batches", ">= 0.5 x", ours >= 0.5 * bare)


def _append_alone(folder: Path, rows: list[Row], batch: int) -> float:
    """Append encoded events to a fresh log. Seconds of processor time."""
    log = SqliteSessionLogs(folder / "sessions").create(SessionId(new_id("s")))
    try:
        log.append([opening(SessionId(new_id("s")))])
        started = time.process_time()
        for start in range(0, len(rows), batch):
            log.append_encoded(rows[start : start + batch])
        return time.process_time() - started
    finally:
        log.close()


async def _flood_once(folder: Path, events: int) -> tuple[float, int, list[Recorded]]:
    """Seconds of processor time, events a transaction, and the events as they were stored."""
    bench = Bench()
    commands = [Report(event(number)) for number in range(events)]
    async with _actor(folder, bench) as actor:
        before = actor.state.seq
        gc.freeze()  # as the server does at its start; what is prepared here is none of the work
        started = time.process_time()
        for number, command in enumerate(commands):
            actor.tell(command)
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        while actor.state.seq < before + events:
            bench.changed.clear()
            await bench.changed.wait()
        took = time.process_time() - started
        gc.unfreeze()
        return took, max(events // bench.commits, 1), list(actor.log.read(before, events))


@dataclass
class Steady:
    """What many sessions at once were like."""

    waits_ms: list[float] = field(default_factory=list)
    """Each event: from when the actor was given it to when it was committed."""
    stalls_ms: list[float] = field(default_factory=list)
    """By how much a timer of 1 ms came late, each time."""


async def _steady(folder: Path, seconds: int) -> Steady:
    steady = Steady()
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_watch_loop(steady.stalls_ms), name="stall watch")
        async with asyncio.TaskGroup() as sessions:
            for number in range(SESSIONS):
                sessions.create_task(_talk(folder, number, seconds, steady.waits_ms), name=f"session {number}")
        watch.cancel()
    return steady


async def _talk(folder: Path, number: int, seconds: int, waits_ms: list[float]) -> None:
    """One session at its pace, after a first second that is not counted."""
    loop = asyncio.get_running_loop()
    async with _actor(folder, Bench()) as actor:
        begun = loop.time() + number / SESSIONS / EVENTS_PER_SECOND
        for turn in range((seconds + 1) * EVENTS_PER_SECOND):
            await asyncio.sleep(begun + turn / EVENTS_PER_SECOND - loop.time())
            given = loop.time()
            await actor.ask(Report(event(turn)))
            if turn >= EVENTS_PER_SECOND:
                waits_ms.append((loop.time() - given) * 1000)


async def _watch_loop(stalls_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.001
        await asyncio.sleep(0.001)
        stalls_ms.append((loop.time() - due) * 1000)


def _steady_figures(steady: Steady, floor_us: float | None, seconds: int) -> list[Figure]:
    workload = f"{SESSIONS} sessions x {EVENTS_PER_SECOND}/s for {seconds} s, events of 300 bytes"
    floor = None if floor_us is None else floor_us / 1000
    p50, p99 = median(steady.waits_ms), percentile(steady.waits_ms, 99)
    stall = percentile(steady.stalls_ms, 99)
    return [
        Figure(
            "B4 append, accepted to committed p50", workload, p50, "ms", floor, "fdatasync in C", "<= 1 ms", p50 <= 1
        ),
        Figure("B4 append, accepted to committed p99", workload, p99, "ms", None, "", "", None),
        Figure("B4 append, loop stall p99", workload, stall, "ms", None, "", "<= 5 ms", stall <= 5),
        Figure("B4 append with power durability, p50", "not run: Outrider has no mode that waits for the disk",
               None, "ms", floor, "fdatasync in C", "<= 6 ms", None),
        Figure("B4 append, longest loop stall", workload, max(steady.stalls_ms), "ms", None, "", "", None),
    ]  # fmt: skip


@asynccontextmanager
async def _actor(folder: Path, bench: Bench) -> AsyncIterator[Actor]:
    """A running actor over a new log, and nobody watching."""
    session = SessionId(new_id("s"))
    log = SqliteSessionLogs(folder / "sessions").create(session)
    first = opening(session)
    log.append([first])
    actor = Actor(log, begin(first), Hub(bench.policy.delta_window_seconds), bench)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(actor.run(), name=f"actor {session}")
        try:
            yield actor
        finally:
            actor.close()
            await asyncio.wait([running])
            await asyncio.to_thread(log.close)
