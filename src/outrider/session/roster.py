"""The roster: which sessions are awake, and who watches them."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from outrider.model.commands import Wake
from outrider.model.errors import DamagedLog
from outrider.model.ids import SessionId
from outrider.ports.store import SessionLog
from outrider.session import effects
from outrider.session.actor import Actor
from outrider.session.feed import Hub
from outrider.session.fold import fold_all
from outrider.session.heap import give_back
from outrider.session.open_logs import OpenLogs
from outrider.session.policy import Policy
from outrider.session.replay import replay
from outrider.session.salvaged import salvaged
from outrider.session.state import State
from outrider.session.workbench import Workbench
from outrider.session.world import World

logger = logging.getLogger(__name__)

WOKEN = Wake("The server was stopped. What was said in its last 2 seconds may be missing.")

HOUSEKEEPING_SECONDS = 5.0
CROWD = 50
"""So many sessions more than may rest in memory are not left there until the next housekeeping. Where so many have
left, their memory is given back."""

CHECKPOINT_EVENTS = 1000
"""After so many events the write-ahead log is moved into the file: a few hundred kB."""


class Busy(NamedTuple):
    """What is in memory."""

    awake: int
    """Sessions."""
    watching: int
    """Clients that are attached to feeds."""


@dataclass(slots=True)
class _Awake:
    """A session that is awake."""

    actor: Actor
    used: float
    """When it was last used, or had anything to store, by the monotonic clock."""
    checkpoint: int
    """The newest event that is surely in the file itself."""


class Roster:
    """Wakes sessions, and puts to sleep those that rest."""

    _awake: OrderedDict[SessionId, _Awake]
    """Least recently used first."""
    _hubs: dict[SessionId, Hub]

    def __init__(
        self,
        logs: OpenLogs,
        world: World,
        policy: Policy,
        touched: Callable[[State], None],
        lost: Callable[[SessionId], None],
    ) -> None:
        """`touched` hears of every commit, `lost` of logs of which nothing can be read."""
        self._lost = lost
        self._logs = logs
        self._world = world
        self._policy = policy
        self._touched = touched
        self._running = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._awake = OrderedDict()
        self._hubs = {}
        self._left = 0
        """How many have been put to sleep since memory was given back."""

    @property
    def busy(self) -> Busy:
        """How much is in memory."""
        return Busy(len(self._awake), sum(hub.watchers for hub in self._hubs.values()))

    async def run(self) -> None:
        """Own every awake session until cancelled; then all of them have closed their logs."""
        try:
            async with self._tasks:
                self._running.set()
                while True:
                    await self._world.clock.sleep(HOUSEKEEPING_SECONDS)
                    await self.settle()
                    await self._checkpoint()
                    if self._left >= CROWD:
                        self._left = 0
                        await asyncio.to_thread(give_back)
        finally:
            for hub in self._hubs.values():
                hub.close()

    async def running(self) -> None:
        """Wait for `run` to have begun."""
        await self._running.wait()

    def awake_one(self, session: SessionId) -> Actor | None:
        """The session's actor, where it is awake."""
        awake = self._awake.get(session)
        return awake.actor if awake else None

    async def wake(self, session: SessionId) -> Actor:
        """The session's actor; its state is folded from the log where it was asleep. Raises NotFound."""
        await self._running.wait()
        await self._logs.free(session)
        if awake := self._awake.get(session):
            self._awake.move_to_end(session)
            awake.used = self._world.clock.monotonic()
            return awake.actor
        try:
            log, state = await self._read(session)
        except DamagedLog as damage:
            log, state = await self._rescued(session, damage)
        return self.adopt(log, state)

    async def _read(self, session: SessionId) -> tuple[SessionLog, State]:
        log = self._logs.open(session)
        try:
            with self._logs.busy(session):
                return log, await replay(session, log, self._world.house)
        except BaseException:
            await self._logs.close(session)
            raise

    async def _rescued(self, session: SessionId, damage: DamagedLog) -> tuple[SessionLog, State]:
        """A damaged log is put aside; what can be read of it goes on. Raises DamagedLog where nothing can."""
        rescue = await self._logs.rescue(session)
        logger.error(
            "session %s: %s %d events were read; the file is in %s", session, damage, rescue.kept, rescue.place
        )
        if not rescue.kept:
            self._lost(session)
            self._logs.open(session)  # says so
        log, state = await self._read(session)
        records = salvaged(state, rescue, damage.sentence, self._world.clock.now())
        log.append(records)
        return log, fold_all(state, records)

    def adopt(self, log: SessionLog, state: State) -> Actor:
        """Wake a session whose log was just made or read."""
        session = state.session
        bench = Workbench(self._world, self._policy, effects.perform, self._committed)
        actor = Actor(log, state, self.hub(session), bench)
        actor.tell(WOKEN)
        self._awake[session] = _Awake(actor, self._world.clock.monotonic(), state.seq)
        self._tasks.create_task(self._live(actor), name=f"session {session}")
        if len(self._awake) % CROWD == 0 and len(self._awake) > self._policy.awake_sessions:
            self._tasks.create_task(self.settle(), name="settle a crowd")
        return actor

    def hub(self, session: SessionId) -> Hub:
        """The session's hub, awake or not."""
        if session not in self._hubs:
            self._hubs[session] = Hub(self._policy.delta_window_seconds)
        return self._hubs[session]

    def forget_hub(self, session: SessionId) -> None:
        """Drop the hub of a session that sleeps and that nobody watches."""
        if session not in self._awake and session in self._hubs and not self._hubs[session].watched:
            del self._hubs[session]

    async def _live(self, actor: Actor) -> None:
        """The life of an actor, and the end of its log. A failed actor harms no other; its log wakes a new one."""
        session = actor.state.session
        try:
            await actor.run()
        except Exception:
            logger.exception("session %s: its actor failed", session)
        finally:
            self._awake.pop(session, None)
            self._world.turns.leave(session)
            try:
                await self._logs.close(session)
            finally:
                self.forget_hub(session)

    def _committed(self, actor: Actor) -> None:
        if awake := self._awake.get(actor.state.session):
            awake.used = self._world.clock.monotonic()
        self._touched(actor.state)

    async def settle(self) -> None:
        """Put to sleep what has rested for its time, and what rests beyond the number that may stay awake: what was
        used longest ago. Their logs are closed when this returns."""
        resting = [session for session, awake in self._awake.items() if awake.actor.resting]
        surplus = len(self._awake) - self._policy.awake_sessions
        long_ago = self._world.clock.monotonic() - self._policy.rest_seconds
        leaving = [
            session for place, session in enumerate(resting) if place < surplus or self._awake[session].used <= long_ago
        ]
        self._left += len(leaving)
        for session in leaving:
            self._logs.keep_busy(session)
            self._awake.pop(session).actor.close()
        for session in leaving:
            await self._logs.free(session)

    async def _checkpoint(self) -> None:
        """Move long write-ahead logs into their files."""
        for awake in list(self._awake.values()):
            seq = awake.actor.state.seq
            if seq - awake.checkpoint >= CHECKPOINT_EVENTS:
                awake.checkpoint = seq
                await asyncio.to_thread(awake.actor.log.checkpoint)
