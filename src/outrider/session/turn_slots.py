"""How many sessions are at work at once, in all and of one person. One more waits its turn, fairly, and says so."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from outrider.model.ids import SessionId
from outrider.model.limits import LimitUse, WorkLimits, raised_by
from outrider.model.membership import person_key
from outrider.model.person import Person

ALL, EACH = "OUTRIDER_LIMIT_SESSIONS_AT_WORK", "OUTRIDER_LIMIT_PERSON_SESSIONS_AT_WORK"


@dataclass(frozen=True, slots=True)
class Wish:
    """A turn that wants to begin."""

    session: SessionId
    person: Person
    """Whose prompt it answers."""
    since: datetime
    at_once: bool = False
    """Whether it does not wait, and counts all the same: it had begun before the server was stopped."""
    parent: SessionId | None = None
    """While this one is at work its child does not wait: the parent may be waiting for it."""


@dataclass(slots=True)
class _Waiter:
    wish: Wish
    admitted: asyncio.Event = field(default_factory=asyncio.Event)


class TurnSlots:
    """Admits turns. Where several wait, the person with the fewest sessions at work goes first, then who waits
    longest."""

    def __init__(self, limits: WorkLimits) -> None:
        self._limits = limits
        self._at_work: dict[SessionId, str] = {}
        self._waiting: dict[SessionId, _Waiter] = {}

    async def enter(self, wish: Wish, held: Callable[[str, str], Awaitable[None]]) -> None:
        """Return when the turn may begin; it is at work until `leave`. `held` hears why it waits, and who can change
        that, where it does. One that is cancelled meanwhile waits no more."""
        if wish.session in self._at_work:
            return
        waiter = self._waiting.setdefault(wish.session, _Waiter(wish))
        self._admit()
        try:
            if not waiter.admitted.is_set():
                await held(*self._reason(wish))
                await waiter.admitted.wait()
        finally:
            if not waiter.admitted.is_set():
                self._waiting.pop(wish.session, None)

    def leave(self, session: SessionId) -> None:
        """Its turn is over. No error where it was not at work."""
        if self._at_work.pop(session, None) is not None:
            self._admit()

    def report(self, person: Person) -> list[LimitUse]:
        """Both limits, and what this person and all use of them."""
        what, mine = "sessions at work at once", self._of(person_key(person.email))
        return [
            LimitUse(setting=ALL, what=what, per="deployment", value=self._limits.sessions, used=len(self._at_work)),
            LimitUse(setting=EACH, what=what, per="person", value=self._limits.person_sessions, used=mine),
        ]

    def _admit(self) -> None:
        while able := [waiter for waiter in self._waiting.values() if self._has_room(waiter.wish)]:
            chosen = min(able, key=lambda waiter: self._rank(waiter.wish))
            del self._waiting[chosen.wish.session]
            self._at_work[chosen.wish.session] = person_key(chosen.wish.person.email)
            chosen.admitted.set()

    def _has_room(self, wish: Wish) -> bool:
        return wish.at_once or wish.parent in self._at_work or self._full(wish) is None

    def _full(self, wish: Wish) -> str | None:
        """The setting that leaves no room."""
        if self._limits.sessions is not None and len(self._at_work) >= self._limits.sessions:
            return ALL
        each = self._limits.person_sessions
        return EACH if each is not None and self._of(person_key(wish.person.email)) >= each else None

    def _rank(self, wish: Wish) -> tuple[int, datetime]:
        return self._of(person_key(wish.person.email)), wish.since

    def _of(self, key: str) -> int:
        return sum(person == key for person in self._at_work.values())

    def _reason(self, wish: Wish) -> tuple[str, str]:
        remedy = "It begins by itself when one of them is done. "
        if self._full(wish) == ALL:
            return f"{self._limits.sessions} sessions are at work here, the most at once.", remedy + raised_by(ALL)
        name, most = wish.person.name, self._limits.person_sessions
        return f"{name} has {most} sessions at work, the most at once for one person.", remedy + raised_by(EACH)
