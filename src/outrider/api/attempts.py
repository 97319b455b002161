"""How often a stranger may be wrong: tokens of links are long, and still nobody gets to try them by the million."""

from collections import OrderedDict, deque

from outrider.model.limits import too_many_attempts
from outrider.ports.clock import Clock

MOST = 20
SECONDS = 60.0
MOST_ADDRESSES = 1000
"""Addresses that are remembered. Whoever has more of them than that is refused as one."""


class Attempts:
    """Counts what went wrong, by where it came from."""

    _wrong: OrderedDict[str, deque[float]]

    def __init__(self, clock: Clock, what: str = "links that do not work") -> None:
        """`what` is told to whoever was wrong too often."""
        self._clock = clock
        self._what = what
        self._wrong = OrderedDict()

    def expect_few(self, address: str) -> None:
        """Raises TooManyAttempts where an address was wrong too often within the last minute."""
        now = self._clock.monotonic()
        wrong = self._wrong.get(address, deque())
        while wrong and now - wrong[0] > SECONDS:
            wrong.popleft()
        if len(wrong) >= MOST:
            sentence = f"Too many {self._what} were tried from here: {MOST} within a minute are the most."
            raise too_many_attempts(sentence, "Try again in a minute.")

    def note(self, address: str) -> None:
        """It was wrong once more."""
        self._wrong.setdefault(address, deque(maxlen=MOST)).append(self._clock.monotonic())
        self._wrong.move_to_end(address)
        if len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)
