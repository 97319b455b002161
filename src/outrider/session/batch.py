"""A batch: commands that are decided one after the other and stored as one transaction."""

from datetime import datetime

from outrider.model.commands import Command
from outrider.model.events import Event, Recorded
from outrider.model.membership import Caller
from outrider.session.decide import decide, history
from outrider.session.fold import fold, passed
from outrider.session.keys import answered
from outrider.session.state import State


class Batch:
    """What commands bring about from a state on. Nothing of it is stored: to drop it is to forget it.

    Most commands of a busy session bring about history only. Each costs a call of `history`; the state is brought up to
    date once, when something wants to know it.
    """

    events: list[Event]
    """In order; the first one follows the state that the batch began with."""

    def __init__(self, state: State, now: datetime) -> None:
        self.events = []
        self._state = state
        self._seq = state.seq
        self._now = now

    @property
    def state(self) -> State:
        """The state after all events."""
        if self._state.seq != self._seq:
            self._state = passed(self._state, self._seq, self._now)
        return self._state

    def add(self, command: Command, caller: Caller | None = None) -> int:
        """Decide on one more command. Returns the number of its first event, 0 where it needs none; what was asked
        under the same key before is answered as before. Raises what `decide` raises, and is as before then."""
        events = history(self._state, command)
        if events is None:
            events = self._decide(command, caller)
        first = self._seq + 1 if events else self._before(command)
        self.events += events
        self._seq += len(events)
        return first

    def _before(self, command: Command) -> int:
        known = answered(self._state, command)
        return known.seq if known else 0

    def _decide(self, command: Command, caller: Caller | None) -> tuple[Event, ...]:
        state = self.state
        events = decide(state, command, self._now, caller)
        for event in events:
            state = fold(state, Recorded(seq=state.seq + 1, at=self._now, event=event))
        self._state = state
        return events
