"""What people have done lately, in the catalog."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.membership import person_key
from outrider.model.person import Person
from outrider.ports.clock import Clock
from outrider.ports.rates import Deed, Done
from outrider.storage.tables import deed as table

KEPT = timedelta(days=1)


class SqlRates:
    """Implements `outrider.ports.rates.Rates`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def record(self, deed: Deed, person: Person) -> None:
        """It was done now; what is too old to count is forgotten."""
        now = self._clock.now()
        async with self._engine.begin() as connection:
            await connection.execute(insert(table).values(kind=deed, person=person_key(person.email), at=now))
            await connection.execute(delete(table).where(table.c.at < now - KEPT))

    async def since(self, deed: Deed, begin: datetime, person: Person | None = None) -> Done:
        """How often it was done after `begin`. See the port."""
        query = select(func.count(), func.min(table.c.at)).where((table.c.kind == deed) & (table.c.at > begin))
        if person is not None:
            query = query.where(table.c.person == person_key(person.email))
        async with self._engine.connect() as connection:
            count, oldest = (await connection.execute(query)).one()
        return Done(count, oldest)
