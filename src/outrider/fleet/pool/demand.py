"""How many warm sandboxes a repository is worth, by what was asked of it lately."""

import math
from collections import deque
from dataclasses import dataclass, field

from outrider.model.engine import ModelRef
from outrider.model.pool import PoolKey

RATE_SECONDS = 300.0
"""Sessions of the last five minutes say how fast they come."""

KEEP_SECONDS = 3600.0
"""A repository that was used within the hour is worth one."""

REMEMBERED = 1000
"""Sessions that are remembered of one repository: faster ones all look alike."""


REMEMBERED_MODELS = 20
"""What the last sessions were started with says what the next ones want."""


@dataclass(slots=True)
class _Use:
    models: deque[ModelRef] = field(default_factory=lambda: deque(maxlen=REMEMBERED_MODELS))
    sessions: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    last: float = 0.0


class Demand:
    """Remembers who asked for what, and when. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._uses: dict[PoolKey, _Use] = {}

    def session(self, key: PoolKey, model: ModelRef, now: float) -> None:
        """A session was started."""
        use = self._use(key, now)
        use.sessions.append(now)
        use.models.append(model)

    def models(self, key: PoolKey) -> list[ModelRef]:
        """What the last sessions were started with, the latest first."""
        use = self._uses.get(key)
        return list(reversed(use.models)) if use else []

    def typing(self, key: PoolKey, now: float) -> None:
        """Somebody is about to."""
        self._use(key, now)

    def keys(self, now: float) -> list[PoolKey]:
        """What was used within the hour, the latest first; the rest is forgotten."""
        self._uses = {key: use for key, use in self._uses.items() if now - use.last < KEEP_SECONDS}
        return sorted(self._uses, key=lambda key: -self._uses[key].last)

    def target(self, key: PoolKey, now: float, refill_seconds: float) -> int:
        """As many as are likely to be asked for while two are started, with two deviations of a random stream on top;
        at least one for what was used within the hour."""
        use = self._uses.get(key)
        if use is None or now - use.last >= KEEP_SECONDS:
            return 0
        recent = sum(now - at < RATE_SECONDS for at in use.sessions)
        if recent < 2:
            return 1
        expected = recent / RATE_SECONDS * 2 * refill_seconds
        return max(1, math.ceil(expected + 2 * math.sqrt(expected)))

    def _use(self, key: PoolKey, now: float) -> _Use:
        use = self._uses.setdefault(key, _Use())
        use.last = now
        return use
