"""The roster: which sessions are awake, who has their logs open, who watches them."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

from outrider.model.commands import Wake
from outrider.model.errors import NotFound
from outrider.model.ids import SessionId
from outrider.ports.store import SessionLog, SessionLogs
from outrider.session import effects
from outrider.session.actor import Actor
from outrider.session.feed import Hub
from outrider.session.fold import begin, fold_all
from outrider.session.policy import Policy
from outrider.session.state import State
from outrider.session.workbench import Workbench
from outrider.session.world import World

logger = logging.getLogger(__name__)

WOKEN = Wake("The server was stopped. What was said in its last 2 seconds may be missing.")

HOUSEKEEPING_SECONDS = 5.0
CHECKPOINT_EVENTS = 1000
"""After so many events the write-ahead log is moved into the file: a few hundred kB."""

FOLD_AT_ONCE = 200
"""Events that are read and folded before others get their turn: some 4 ms."""


class Roster:
    """Wakes sessions and puts them to sleep. A log is open at most once, and closed in a thread."""

    def __init__(self, logs: SessionLogs, world: World, policy: Policy, touched: Callable[[State], None]) -> None:
        self._logs = logs
        self._world = world
        self._policy = policy
        self._touched = touched
        self._running = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._actors: OrderedDict[SessionId, Actor] = OrderedDict()
        """Least recently used first."""
        self._open: dict[SessionId, SessionLog] = {}
        self._busy: dict[SessionId, asyncio.Event] = {}
        """Sessions that are on their way to being awake or asleep."""
        self._hubs: dict[SessionId, Hub] = {}
        self._checkpoints: dict[SessionId, int] = {}

    async def run(self) -> None:
        """Own every awake session until cancelled; then all of them have closed their logs."""
        try:
            async with self._tasks:
                self._running.set()
                while True:
                    await self._world.clock.sleep(HOUSEKEEPING_SECONDS)
                    await self._keep_house()
        finally:
            for hub in self._hubs.values():
                hub.close()

    @property
    def awake(self) -> int:
        """How many sessions are in memory."""
        return len(self._actors)

    async def running(self) -> None:
        """Wait for `run` to have begun."""
        await self._running.wait()

    async def wake(self, session: SessionId) -> Actor:
        """The session's actor; its state is folded from the log where it was asleep. Raises NotFound."""
        await self._running.wait()
        while busy := self._busy.get(session):
            await busy.wait()
        if session in self._actors:
            self._actors.move_to_end(session)
            return self._actors[session]
        log = self._open_log(session)
        try:
            state = await self._replay(session, log)
        except BaseException:
            self._open.pop(session).close()
            raise
        return self.adopt(log, state)

    def adopt(self, log: SessionLog, state: State) -> Actor:
        """Wake a session whose log was just made or read."""
        session = state.session
        self._open[session] = log
        bench = Workbench(self._world, self._policy, effects.perform, self._committed)
        actor = self._actors[session] = Actor(log, state, self.hub(session), bench)
        actor.tell(WOKEN)
        self._checkpoints[session] = state.seq
        self._tasks.create_task(self._live(actor), name=f"session {session}")
        return actor

    def create_log(self, session: SessionId) -> SessionLog | None:
        """A new log; None where the session exists. One without any event is new: its maker was killed."""
        if session in self._open:
            return None
        try:
            return self._logs.create(session)
        except ValueError:
            log = self._logs.open(session)
        if log.last_seq() == 0:
            return log
        log.close()
        return None

    def ids(self) -> list[SessionId]:
        """Every session, awake or asleep."""
        return self._logs.ids()

    async def settled(self, session: SessionId) -> None:
        """Wait while the log is being closed; then `read` may be called before anything else is awaited."""
        while session not in self._open and (busy := self._busy.get(session)):
            await busy.wait()

    def read(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        """Stored events as encoded bytes. A session that sleeps is not woken for it. Raises NotFound."""
        if session in self._open:
            return self._open[session].read_encoded(after, limit)
        log = self._logs.open(session)
        try:
            return log.read_encoded(after, limit)
        finally:
            log.close()

    def last_seq(self, session: SessionId) -> int:
        """The number of the newest event."""
        if session in self._open:
            return self._open[session].last_seq()
        log = self._logs.open(session)
        try:
            return log.last_seq()
        finally:
            log.close()

    def hub(self, session: SessionId) -> Hub:
        """The session's hub, awake or not."""
        if session not in self._hubs:
            self._hubs[session] = Hub(self._policy.delta_window_seconds)
        return self._hubs[session]

    def forget_hub(self, session: SessionId) -> None:
        """Drop the hub of a session that sleeps and that nobody watches."""
        if session not in self._actors and session in self._hubs and not self._hubs[session].watched:
            del self._hubs[session]

    def _open_log(self, session: SessionId) -> SessionLog:
        log = self._open[session] = self._logs.open(session)
        return log

    async def _replay(self, session: SessionId, log: SessionLog) -> State:
        """Fold the log, page by page so that others have their turn."""
        waking = self._busy[session] = asyncio.Event()
        try:
            page = log.read(0, FOLD_AT_ONCE)
            if not page:
                raise NotFound(f"There is no session {session}.")
            state = fold_all(begin(page[0]), page[1:])
            while page := log.read(state.seq, FOLD_AT_ONCE):
                state = fold_all(state, page)
                await asyncio.sleep(0)
            return state
        finally:
            del self._busy[session]
            waking.set()

    async def _live(self, actor: Actor) -> None:
        """The life of an actor, and the end of its log. A failed actor harms no other; its log wakes a new one."""
        session = actor.state.session
        try:
            await actor.run()
        except Exception:
            logger.exception("session %s: its actor failed", session)
        finally:
            leaving = self._busy.setdefault(session, asyncio.Event())
            self._actors.pop(session, None)
            del self._open[session]
            try:
                await asyncio.to_thread(actor.log.close)
            finally:
                del self._busy[session]
                leaving.set()
                self.forget_hub(session)

    def _committed(self, actor: Actor) -> None:
        self._touched(actor.state)

    async def _keep_house(self) -> None:
        """Put to sleep what rested longest, beyond what may stay awake; move long write-ahead logs into their files."""
        surplus = len(self._actors) - self._policy.awake_sessions
        resting = [actor for actor in self._actors.values() if actor.resting]
        for actor in resting[: max(surplus, 0)]:
            self._busy[actor.state.session] = asyncio.Event()
            del self._actors[actor.state.session]
            actor.close()
        for actor in list(self._actors.values()):
            session, seq = actor.state.session, actor.state.seq
            if seq - self._checkpoints.get(session, 0) >= CHECKPOINT_EVENTS:
                self._checkpoints[session] = seq
                await asyncio.to_thread(actor.log.checkpoint)
