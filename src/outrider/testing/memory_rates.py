"""What people have done lately, gone with the process."""

from datetime import datetime

from outrider.model.membership import person_key
from outrider.model.person import Person
from outrider.ports.clock import Clock
from outrider.ports.rates import Deed, Done


class MemoryRates:
    """Implements `outrider.ports.rates.Rates`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._done: list[tuple[Deed, str, datetime]] = []

    async def record(self, deed: Deed, person: Person) -> None:
        """It was done now."""
        self._done.append((deed, person_key(person.email), self._clock.now()))

    async def since(self, deed: Deed, begin: datetime, person: Person | None = None) -> Done:
        """How often it was done after `begin`."""
        whom = None if person is None else person_key(person.email)
        times = [at for kind, by, at in self._done if kind == deed and at > begin and whom in (None, by)]
        return Done(len(times), min(times, default=None))
