"""What the pool has done: counted since the server started."""

from collections import Counter, deque
from statistics import median

from outrider.model.pool import Miss, PoolCounts

REMEMBERED_STARTS = 100
EXPECTED_SECONDS = 5.0
"""What a start is taken to need before there was one."""


class Tally:
    """Counts."""

    def __init__(self) -> None:
        self.hits = 0
        self.started = 0
        self.failed = 0
        self.last_failure = ""
        self._misses: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._seconds: deque[float] = deque(maxlen=REMEMBERED_STARTS)

    def missed(self, why: Miss) -> None:
        """A session got none."""
        self._misses[why.value] += 1

    def dropped(self, why: str) -> None:
        """One went that no session got."""
        self._dropped[why] += 1

    def ready(self, seconds: float) -> None:
        """One has started."""
        self.started += 1
        self._seconds.append(seconds)

    def could_not(self, why: str) -> None:
        """A start came to nothing."""
        self.failed += 1
        self.last_failure = why[:1000]

    @property
    def refill_seconds(self) -> float:
        """How long a start takes."""
        return median(self._seconds) if self._seconds else EXPECTED_SECONDS

    @property
    def hit_rate(self) -> float | None:
        """The share of sessions that got a warm sandbox; None before the first."""
        asked = self.hits + self._misses.total()
        return self.hits / asked if asked else None

    def counts(self) -> PoolCounts:
        """All of it."""
        return PoolCounts(
            hits=self.hits,
            misses=dict(self._misses),
            started=self.started,
            failed=self.failed,
            dropped=dict(self._dropped),
            refill_seconds_median=median(self._seconds) if self._seconds else None,
            refill_seconds_last=self._seconds[-1] if self._seconds else None,
        )
