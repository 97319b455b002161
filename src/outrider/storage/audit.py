"""The audit log in the catalog."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.ports.clock import Clock
from outrider.storage.tables import audit as table

MAX_TEXT = 2000
"""Longer texts are cut: `target` is what a hostile guest asked for."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One decision."""

    at: datetime
    owner: str
    action: str
    target: str
    allowed: bool
    why: str


class SqlAudit:
    """Implements `outrider.ports.audit.Audit`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

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

    async def recent(self, owner: str, limit: int) -> list[AuditEntry]:
        """The newest decisions about a session or proof, newest first."""
        columns = (table.c.at, table.c.owner, table.c.action, table.c.target, table.c.allowed, table.c.why)
        query = select(*columns).where(table.c.owner == owner).order_by(table.c.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [AuditEntry(**row) for row in (await connection.execute(query)).mappings()]
