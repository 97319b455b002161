"""What is counted while the server runs, for whoever watches it: starts, syncs, calls to models, stalls of the loop.

Since the server started, and never stored: what must last is in the sessions' logs.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from outrider.model.engine import Usage
from outrider.model.sandbox_events import SandboxReady, Step, SyncFinished

SECONDS_OF_STARTS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SECONDS_OF_STALLS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

MOST_MODELS = 100
"""Models that are counted by name; more are one. A name may come from whoever prompts."""


class Histogram:
    """Durations, counted by how long they were. Seconds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Each bound, and how many were no longer than it."""
        below = 0
        for bound, count in zip(self._bounds, self._counts, strict=False):
            below += count
            yield bound, below


@dataclass(slots=True)
class Spent:
    """Calls to one model."""

    calls: int = 0
    unpriced: int = 0
    cost_usd: float = 0.0
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, usage: Usage) -> None:
        """One more."""
        self.calls += 1
        self.unpriced += usage.cost_usd is None
        self.cost_usd += usage.cost_usd or 0.0
        kinds = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cache_read": usage.cache_read_tokens,
            "cache_write": usage.cache_write_tokens,
        }
        self.tokens.update(kinds)


class Meters:
    """All of it."""

    def __init__(self) -> None:
        self.starts: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SECONDS_OF_STARTS))
        """By the way that the session came by its sandbox."""
        self.syncs = Histogram(SECONDS_OF_STARTS)
        self.steps: defaultdict[tuple[str, str], float] = defaultdict(float)
        """Seconds, by the way and the step."""
        self.spent: defaultdict[str, Spent] = defaultdict(Spent)
        """By model."""
        self.stalls = Histogram(SECONDS_OF_STALLS)
        """By how much timers came late."""

    def started(self, ready: SandboxReady) -> None:
        """A session has its sandbox."""
        self.starts[ready.how].add(ready.seconds)
        self._step(ready.how, ready.steps)

    def synced(self, sync: SyncFinished) -> None:
        """Its files are current."""
        self.syncs.add(sync.seconds)
        self._step("sync", sync.steps)

    def called(self, usage: Usage) -> None:
        """A model was called."""
        known = usage.model in self.spent or len(self.spent) < MOST_MODELS
        self.spent[usage.model if known else "others"].add(usage)

    def _step(self, way: str, steps: Sequence[Step]) -> None:
        for step in steps:
            self.steps[way, step.name] += step.seconds
