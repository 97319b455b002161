"""How often within an hour."""

from datetime import timedelta

import pytest

from outrider.model.errors import OutriderError, QuotaReached
from outrider.model.limits import RateLimits
from outrider.session.quotas import Quotas
from outrider.testing.manual_clock import ManualClock
from outrider.testing.memory_rates import MemoryRates
from outrider.testing.playbook import ADA, BOB


async def start(quotas: Quotas, person: object = ADA) -> None:
    async with quotas.doing("session", person):
        pass


async def test_a_full_hour_is_refused_with_the_limit_and_when_there_is_room() -> None:
    clock = ManualClock()
    rates = MemoryRates(clock)
    quotas = Quotas(rates, clock, RateLimits(sessions=3, person_sessions=2))
    await start(quotas)
    clock.advance(600)
    await start(quotas)
    with pytest.raises(QuotaReached, match="2 sessions started within an hour is the most for Ada") as refused:
        await start(quotas)
    assert refused.value.retry_after == 3000
    assert "50 min" in refused.value.remedy
    assert "OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR" in refused.value.remedy
    await start(quotas, BOB)
    with pytest.raises(QuotaReached, match="all people together"):
        await start(quotas, BOB)
    after_a_restart = Quotas(rates, clock, RateLimits(sessions=3, person_sessions=2))
    with pytest.raises(QuotaReached):
        await start(after_a_restart)
    clock.advance(3001)
    await start(after_a_restart)


async def test_what_fails_does_not_count() -> None:
    clock = ManualClock()
    quotas = Quotas(MemoryRates(clock), clock, RateLimits(person_sessions=1))
    with pytest.raises(OutriderError):
        async with quotas.doing("session", ADA):
            raise OutriderError("The disk is full.")
    await start(quotas)
    used = {use.setting: (use.value, use.used, use.until) for use in await quotas.report(ADA)}
    assert used["OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR"] == (1, 1, clock.now() + timedelta(hours=1))
    assert used["OUTRIDER_LIMIT_SESSIONS_PER_HOUR"] == (None, 1, None)
