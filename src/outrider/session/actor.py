"""The actor: the one owner of a session. One inbox, one loop; nobody else writes the log or changes the state.

Append, fold, publish, reconcile: nobody hears of what is not stored, and what runs is what the stored state asks for.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from outrider.model.commands import Command
from outrider.model.effects import Effect
from outrider.model.errors import OutriderError, Refused
from outrider.model.events import Event
from outrider.model.limits import FIXED, quota_reached
from outrider.model.membership import Caller
from outrider.model.rows import rows
from outrider.ports.clock import Clock
from outrider.ports.store import SessionLog
from outrider.session.batch import Batch
from outrider.session.feed import Hub
from outrider.session.outbox import Outbox
from outrider.session.pending import pending
from outrider.session.policy import Policy
from outrider.session.state import State

logger = logging.getLogger(__name__)

BUSY_COMMITS = 3
"""So many commits within one window make a session busy; until then what arrives is committed at once."""

LONGEST_INBOX = 20_000
"""Commands that wait before people are refused. An engine cannot fill it alone: whoever reads an engine shares the
loop with the actor and waits while it commits."""

RETRY_SECONDS = 1.0
"""After this, what could not be stored is tried again."""


class Bench(Protocol):
    """What an actor works with."""

    policy: Policy

    @property
    def idle_seconds(self) -> float:
        """After this long without a turn the sandbox goes to sleep."""

    @property
    def clock(self) -> Clock:
        """By which the session goes."""

    async def perform(self, effect: Effect, actor: "Actor") -> Command:
        """Carry an effect out and return its answer. Never raises but when it is cancelled."""

    def committed(self, actor: "Actor") -> None:
        """Told after every commit."""


@dataclass(slots=True)
class _Asked:
    command: Command
    answer: asyncio.Future[int] | None
    caller: Caller | None = None
    seq: int = 0
    """The number of its first event, once it was decided."""

    def refuse(self, error: OutriderError) -> None:
        """Nothing came of it."""
        if self.answer is None:
            logger.warning("dropped %s: %s", type(self.command).__name__, error)
        elif not self.answer.done():
            self.answer.set_exception(error)

    def accept(self) -> None:
        """It is stored."""
        if self.answer and not self.answer.done():
            self.answer.set_result(self.seq)


class _Life(Enum):
    RUNNING = auto()
    CLOSING = auto()
    CLOSED = auto()


class Actor:
    """Runs one session."""

    def __init__(self, log: SessionLog, state: State, hub: Hub, bench: Bench) -> None:
        self.log = log
        self.state = state
        self.hub = hub
        self._bench = bench
        self._inbox: deque[_Asked] = deque()
        self._arrived = asyncio.Event()
        self._outbox = Outbox(state.session, lambda effect: bench.perform(effect, self), self.tell)
        self._commits: deque[float] = deque(maxlen=BUSY_COMMITS)
        self._log_refuses = False
        self._life = _Life.RUNNING

    async def ask(self, command: Command, caller: Caller | None = None) -> int:
        """Have a command carried out, where its caller may. Returns, once it is stored, the number of its first event;
        0 where it needed none. Raises NotAllowed, Refused, BadRequest, NotFound, LimitReached."""
        if self._life is _Life.CLOSED:
            raise Refused("The session is being closed.", "Try again in a moment.")
        if len(self._inbox) >= LONGEST_INBOX:
            sentence = f"{LONGEST_INBOX:,} requests to this session wait to be stored, which is the most."
            raise quota_reached(sentence, "Try again in a moment.", FIXED)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._put(_Asked(command, answer, caller))
        return await answer

    def tell(self, command: Command) -> None:
        """The same without waiting. Commands are carried out in the order in which they were given."""
        self._put(_Asked(command, None))

    @property
    def resting(self) -> bool:
        """Whether nothing runs, waits, or is on its way."""
        return self._outbox.empty and not self._inbox

    def close(self) -> None:
        """End `run`: cancel what runs and store what was said until then."""
        if self._life is _Life.RUNNING:
            self._life = _Life.CLOSING
        self._arrived.set()

    async def run(self) -> None:
        """Own the session until it is closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._commit()  # what was told before anything runs, such as Wake
                while self._life is _Life.RUNNING:
                    now = self._bench.clock.now()
                    self._outbox.reconcile(pending(self.state, now, self._bench.idle_seconds), tasks)
                    await self._gather()
                    self._commit()
                self._outbox.cancel()
        finally:
            self._commit()  # the last words of what was cancelled
            self._life = _Life.CLOSED

    def _put(self, asked: _Asked) -> None:
        self._inbox.append(asked)
        self._arrived.set()

    async def _gather(self) -> None:
        """Wait for something to do. A session that commits often waits for the rest of its window to gather more, one
        whose log refuses waits for better times."""
        await self._arrived.wait()
        left = 0.0
        if self._log_refuses:
            left = RETRY_SECONDS
        elif len(self._commits) == BUSY_COMMITS:
            window_over = self._commits[0] + self._bench.policy.commit_window_seconds
            left = window_over - self._bench.clock.monotonic()
        if left > 0 and self._life is _Life.RUNNING:
            await self._bench.clock.sleep(left)
        self._arrived.clear()

    def _commit(self) -> None:
        """Decide everything that waits, store it as one transaction, and only then show it and answer."""
        asking, self._inbox = self._inbox, deque()
        now = self._bench.clock.now()
        batch = Batch(self.state, now)
        decided = [asked for asked in asking if _decide(batch, asked)]
        if batch.events and not self._store(batch.events, now, decided):
            return
        self.state = batch.state
        for asked in decided:
            if asked.answer:
                asked.accept()
        if batch.events:
            self._bench.committed(self)

    def _store(self, events: list[Event], now: datetime, decided: list[_Asked]) -> bool:
        """Append and publish. What cannot be stored is refused where somebody waits, else tried again."""
        encoded = rows(self.state.seq + 1, now, events)
        try:
            self.log.append_encoded(encoded)
        except OutriderError as error:
            logger.error("session %s: %s", self.state.session, error)
            for asked in decided:
                asked.refuse(error)
            self._inbox.extendleft(asked for asked in reversed(decided) if asked.answer is None)
            self._log_refuses = True
            self._arrived.set()
            return False
        self._log_refuses = False
        self._commits.append(self._bench.clock.monotonic())
        self.hub.publish(events, encoded)
        return True


def _decide(batch: Batch, asked: _Asked) -> bool:
    """Whether a command was decided and not refused. A decision that fails harms no other."""
    try:
        asked.seq = batch.add(asked.command, asked.caller)
        return True
    except OutriderError as error:
        asked.refuse(error)
    except Exception:
        logger.exception("session %s: no decision about %s", batch.state.session, asked.command)
        asked.refuse(OutriderError("Something went wrong inside Outrider.", "Its log says what."))
    return False
