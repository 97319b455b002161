"""A stopwatch for work that goes step by step: what each step took is part of the event that ends the work."""

from outrider.model.sandbox_events import Step
from outrider.ports.clock import Clock


class Stopwatch:
    """Runs from when it is made. Seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = self._last = clock.monotonic()
        self._steps: list[Step] = []

    def lap(self, name: str) -> None:
        """The step of this name ends now; it began when the one before it ended."""
        now = self._clock.monotonic()
        self._steps.append(Step(name=name, seconds=round(now - self._last, 6)))
        self._last = now

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps until now."""
        return tuple(self._steps)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock.monotonic() - self._begun
