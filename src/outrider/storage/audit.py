"""The audit log in the catalog."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.ports.audit import AuditEntry
from outrider.ports.clock import Clock
from outrider.storage.tables import audit as table

MAX_TEXT = 2000
"""Longer texts are cut: `target` is what a hostile guest asked for."""


KEPT = 20_000
"""Entries of one owner that are kept: a guest decides how many there are. Looked after each `SWEEP` of them."""
SWEEP = 1000


class SqlAudit:
    """Implements `outrider.ports.audit.Audit`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._written: dict[str, int] = {}

    async def record(self, owner: str, action: str, target: str, *, allowed: bool, why: str) -> None:
        """One decision."""
        values = {
            "at": self._clock.now(),
            "owner": owner,
            "action": action,
            "target": target[:MAX_TEXT],
            "allowed": allowed,
            "why": why[:MAX_TEXT],
        }
        async with self._engine.begin() as connection:
            await connection.execute(insert(table).values(values))
        self._written[owner] = self._written.get(owner, 0) + 1
        if self._written[owner] % SWEEP == 0:
            await self._sweep(owner)

    async def recent(self, owner: str | None, limit: int) -> list[AuditEntry]:
        """The newest decisions about one session, proof or image, or about all, newest first."""
        columns = (table.c.at, table.c.owner, table.c.action, table.c.target, table.c.allowed, table.c.why)
        query = select(*columns).order_by(table.c.id.desc()).limit(limit)
        if owner is not None:
            query = query.where(table.c.owner == owner)
        async with self._engine.connect() as connection:
            return [AuditEntry(**row) for row in (await connection.execute(query)).mappings()]

    async def _sweep(self, owner: str) -> None:
        """Drop the oldest entries of an owner beyond `KEPT`."""
        mine = table.c.owner == owner
        async with self._engine.begin() as connection:
            newest = select(table.c.id).where(mine).order_by(table.c.id.desc()).offset(KEPT).limit(1)
            last = (await connection.execute(newest)).scalar()
            if last is not None:
                await connection.execute(delete(table).where(mine & (table.c.id <= last)))
