"""The actor: the one owner of a session. One inbox, one loop; nobody else writes the log or changes the state.

Append, fold, publish, reconcile: nobody hears of what is not stored, and the effects that run are always those that
the stored state asks for. An effect is a coroutine that returns the command that answers it.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outrider.model.commands import Command
from outrider.model.effects import Effect
from outrider.model.errors import LimitReached, OutriderError, Refused
from outrider.model.events import RECORDED, Event, Recorded
from outrider.model.ids import EffectId
from outrider.ports.clock import Clock
from outrider.ports.store import SessionLog
from outrider.session.decide import decide
from outrider.session.feed import Hub
from outrider.session.fold import fold
from outrider.session.pending import pending
from outrider.session.policy import Policy
from outrider.session.state import State

logger = logging.getLogger(__name__)

BUSY_COMMITS = 3
"""So many commits within one window make a session busy; until then what arrives is committed at once."""

LONGEST_INBOX = 20_000
"""Commands that wait before people are refused. An engine cannot fill it alone: whoever reads an engine shares the
loop with the actor and waits while it commits."""

GRACE_SECONDS = 10.0
"""How long a new effect waits for the end of those that were cancelled for it."""

RETRY_SECONDS = 1.0
"""After this, what could not be stored is tried again."""


class Bench(Protocol):
    """What an actor works with."""

    clock: Clock
    policy: Policy

    async def perform(self, effect: Effect, actor: "Actor") -> Command:
        """Carry an effect out and return its answer. Never raises but when it is cancelled."""

    def committed(self, actor: "Actor") -> None:
        """Told after every commit."""


@dataclass(frozen=True, slots=True)
class _Asked:
    command: Command
    answer: asyncio.Future[int] | None


class Actor:
    """Runs one session."""

    _effects: dict[EffectId, asyncio.Task[None]]
    """By effect, for as long as it is pending; one that is done stays until then, so that it is not begun again."""

    def __init__(self, log: SessionLog, state: State, hub: Hub, bench: Bench) -> None:
        self.log = log
        self.state = state
        self.hub = hub
        self._bench = bench
        self._inbox: deque[_Asked] = deque()
        self._arrived = asyncio.Event()
        self._effects = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._commits: deque[float] = deque(maxlen=BUSY_COMMITS)
        self._closing = False

    async def ask(self, command: Command) -> int:
        """Have a command carried out. Returns, once it is stored, the number of its first event; 0 where it needed
        none. Raises Refused, BadRequest, NotFound, LimitReached."""
        if len(self._inbox) >= LONGEST_INBOX:
            raise LimitReached("More happens in this session than can be stored.", "Try again in a moment.")
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._put(_Asked(command, answer))
        return await answer

    def tell(self, command: Command) -> None:
        """The same without waiting. Commands are carried out in the order in which they were given."""
        self._put(_Asked(command, None))

    @property
    def resting(self) -> bool:
        """Whether nothing runs, waits, or is on its way."""
        return not self._effects and not self._ending and not self._inbox

    def close(self) -> None:
        """Cancel what runs, store what was said, end `run`."""
        self._closing = True
        self._arrived.set()

    async def run(self) -> None:
        """Own the session until it is closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._commit()  # what was told before anything runs, such as Wake
                self._reconcile(tasks)
                while not self._closing:
                    await self._gather()
                    self._commit()
                    self._reconcile(tasks)
                for task in self._effects.values():
                    task.cancel()
        finally:
            self._commit()  # the last words of what was cancelled
            self._closing = True

    def _put(self, asked: _Asked) -> None:
        if self._closing and not self._effects:
            raise Refused("The session is being closed.", "Try again in a moment.")
        self._inbox.append(asked)
        self._arrived.set()

    async def _gather(self) -> None:
        """Wait for something to do. A session that commits often waits for the rest of its window to gather more."""
        await self._arrived.wait()
        if len(self._commits) == BUSY_COMMITS:
            window_over = self._commits[0] + self._bench.policy.commit_window_seconds
            left = window_over - self._bench.clock.monotonic()
            if left > 0 and not self._closing:
                await self._bench.clock.sleep(left)
        self._arrived.clear()

    def _commit(self) -> None:
        """Decide everything that waits, store it as one transaction, and only then show it and answer."""
        batch = list(self._inbox)
        self._inbox.clear()
        state, records, answers = self.state, list[Recorded](), list[tuple[_Asked, int]]()
        now = self._bench.clock.now()
        for asked in batch:
            events = _decide(state, asked, now)
            if events is None:
                continue
            answers.append((asked, state.seq + 1 if events else 0))
            for event in events:
                records.append(Recorded(seq=state.seq + 1, at=now, event=event))
                state = fold(state, records[-1])
        if records and not self._store(records, answers):
            return
        self.state = state
        for asked, seq in answers:
            if asked.answer and not asked.answer.done():
                asked.answer.set_result(seq)
        if records:
            self._bench.committed(self)

    def _store(self, records: list[Recorded], answers: list[tuple[_Asked, int]]) -> bool:
        """Append and publish. What cannot be stored is refused where somebody waits, else tried again."""
        encoded = [RECORDED.dump_json(record) for record in records]
        try:
            self.log.append_encoded(records, encoded)
        except OutriderError as error:
            logger.error("session %s: %s", self.state.session, error)
            for asked, _ in answers:
                _refuse(asked, error)
            self._inbox.extendleft(asked for asked, _ in reversed(answers) if asked.answer is None)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._arrived.set)
            return False
        self._commits.append(self._bench.clock.monotonic())
        self.hub.publish(records, encoded)
        return True

    def _reconcile(self, tasks: asyncio.TaskGroup) -> None:
        """Start what is pending and does not run, cancel what runs and is pending no more."""
        now = self._bench.clock.now()
        wanted = {effect.id: effect for effect in pending(self.state, now, self._bench.policy.idle_seconds)}
        for effect_id in self._effects.keys() - wanted.keys():
            task = self._effects.pop(effect_id)
            if task.cancel():
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        for effect_id, effect in wanted.items():
            if effect_id not in self._effects:
                name = f"{self.state.session} {effect_id}"
                self._effects[effect_id] = tasks.create_task(self._carry_out(effect, set(self._ending)), name=name)

    async def _carry_out(self, effect: Effect, ending: set[asyncio.Task[None]]) -> None:
        """What is no longer wanted ends before what is newly wanted begins."""
        if ending:
            await asyncio.wait(ending, timeout=GRACE_SECONDS)
        self.tell(await self._bench.perform(effect, self))


def _decide(state: State, asked: _Asked, now: datetime) -> tuple[Event, ...] | None:
    """The events of a command; None where it was refused. A decision that fails harms no other."""
    try:
        return decide(state, asked.command, now)
    except OutriderError as error:
        _refuse(asked, error)
    except Exception:
        logger.exception("session %s: no decision about %s", state.session, asked.command)
        _refuse(asked, OutriderError("Something went wrong inside Outrider.", "Its log says what."))
    return None


def _refuse(asked: _Asked, error: OutriderError) -> None:
    if asked.answer is None:
        logger.warning("dropped %s: %s", type(asked.command).__name__, error)
    elif not asked.answer.done():
        asked.answer.set_exception(error)
