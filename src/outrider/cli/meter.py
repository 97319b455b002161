"""How far a long copy is, on one line of a terminal; nothing where nobody looks."""

import sys

from outrider.ports.clock import Clock

PAUSE_SECONDS = 0.2


class Meter:
    """Shows bytes on stderr, a few times a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown_at = float("-inf")
        self._terminal = sys.stderr.isatty()

    def show(self, what: str, done: int, expected: int | None) -> None:
        """So far it is."""
        now = self._clock.monotonic()
        if not self._terminal or now - self._shown_at < PAUSE_SECONDS:
            return
        self._shown_at = now
        of = f" of {expected / (1 << 20):.0f}" if expected else ""
        sys.stderr.write(f"\r\x1b[K{what}: {done / (1 << 20):.0f}{of} MB")
        sys.stderr.flush()

    def clear(self) -> None:
        """It is over."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
