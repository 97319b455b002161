"""How often people may do something within an hour."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from outrider.model.errors import QuotaReached
from outrider.model.limits import LimitUse, RateLimits, quota_reached
from outrider.model.person import Person
from outrider.ports.clock import Clock
from outrider.ports.rates import Deed, Rates

WINDOW = timedelta(hours=1)

SETTINGS: dict[tuple[Deed, bool], str] = {
    ("session", False): "OUTRIDER_LIMIT_SESSIONS_PER_HOUR",
    ("session", True): "OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR",
    ("upload", True): "OUTRIDER_LIMIT_PERSON_UPLOADS_PER_HOUR",
}
"""By deed, and whether it is one person's."""

WORDS: dict[Deed, str] = {"session": "sessions started", "upload": "files uploaded"}


class Quotas:
    """Counts what is done, and refuses what is too much."""

    def __init__(self, rates: Rates, clock: Clock, limits: RateLimits) -> None:
        self._rates = rates
        self._clock = clock
        self._limits = limits
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def doing(self, deed: Deed, person: Person) -> AsyncIterator[None]:
        """Do something short once; it counts where it does not fail. Raises QuotaReached."""
        async with self._one_at_a_time:
            await self.expect(deed, person)
            yield
            await self.done(deed, person)

    async def expect(self, deed: Deed, person: Person) -> None:
        """Raises QuotaReached, with when there is room again, where this person may not do it now."""
        for use in await self._uses(deed, person):
            if use.value is not None and (use.used or 0) >= use.value:
                raise self._refusal(use, person)

    async def done(self, deed: Deed, person: Person) -> None:
        """It was done."""
        await self._rates.record(deed, person)

    async def report(self, person: Person) -> list[LimitUse]:
        """Every rate, and what this person and all have used of it."""
        return [*await self._uses("session", person), *await self._uses("upload", person)]

    async def _uses(self, deed: Deed, person: Person) -> list[LimitUse]:
        limits = self._limits
        if deed == "upload":
            return [await self._use(deed, limits.person_uploads, person)]
        return [await self._use(deed, limits.sessions, None), await self._use(deed, limits.person_sessions, person)]

    async def _use(self, deed: Deed, value: int | None, person: Person | None) -> LimitUse:
        done = await self._rates.since(deed, self._clock.now() - WINDOW, person)
        full = value is not None and done.count >= value
        return LimitUse(
            setting=SETTINGS[deed, person is not None],
            what=f"{WORDS[deed]} within an hour",
            per="deployment" if person is None else "person",
            value=value,
            used=done.count,
            until=done.oldest + WINDOW if full and done.oldest else None,
        )

    def _refusal(self, use: LimitUse, person: Person) -> QuotaReached:
        whose = "all people together" if use.per == "deployment" else person.name
        wait = _seconds(use.until, self._clock.now())
        return quota_reached(
            f"{use.value} {use.what} is the most for {whose}.",
            f"There is room again in {max(round(wait / 60), 1)} min.",
            use.setting,
            retry_after=wait,
        )


def _seconds(until: datetime | None, now: datetime) -> float:
    return WINDOW.total_seconds() if until is None else max((until - now).total_seconds(), 1.0)
