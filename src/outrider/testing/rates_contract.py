"""What every counter of deeds has to do, real or in memory."""

from datetime import timedelta

import pytest

from outrider.model.person import Person
from outrider.ports.rates import Done, Rates
from outrider.testing.manual_clock import ManualClock

ADA = Person(name="Ada", email="Ada@example.org")
AGAIN = Person(name="Ada M.", email="ada@example.org")
BOB = Person(name="Bob", email="bob@example.org")


class RatesContract:
    """For `outrider.ports.rates.Rates`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """What the counter goes by."""
        return ManualClock()

    @pytest.fixture
    def rates(self, clock: ManualClock) -> Rates:
        """The counter to test, empty."""
        raise NotImplementedError

    async def test_deeds_are_counted_by_kind_person_and_time(self, rates: Rates, clock: ManualClock) -> None:
        begin = clock.now() - timedelta(hours=1)
        assert await rates.since("session", begin) == Done()
        first = clock.now()
        await rates.record("session", ADA)
        clock.advance(60)
        await rates.record("session", AGAIN)
        await rates.record("session", BOB)
        await rates.record("upload", ADA)
        assert await rates.since("session", begin) == Done(3, first)
        assert await rates.since("session", begin, ADA) == Done(2, first)
        assert await rates.since("session", first, ADA) == Done(1, clock.now())
