"""The index of sessions in the catalog."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.ids import SessionId
from outrider.ports.store import SessionRow, Wanted
from outrider.storage.tables import session as table


class SqlSessionIndex:
    """Implements `outrider.ports.store.SessionIndex`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, row: SessionRow) -> None:
        """Insert or replace. An older `projected_seq` never replaces a newer one."""
        statement = insert(table).values(asdict(row))
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.id],
            set_=asdict(row),
            where=table.c.projected_seq <= statement.excluded.projected_seq,
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def choose(self, wanted: Wanted, *, limit: int, before: datetime | None = None) -> list[SessionRow]:
        """Those that are wanted: pinned ones first, then the newest change first."""
        query = select(table).where(*_conditions(wanted))
        query = query.order_by(table.c.pinned.desc(), table.c.updated_at.desc(), table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.updated_at < before, table.c.pinned.is_(False))
        async with self._engine.connect() as connection:
            return [SessionRow(**row) for row in (await connection.execute(query)).mappings()]

    async def list(self, *, limit: int, before: datetime | None = None) -> list[SessionRow]:
        """Newest change first."""
        query = select(table).order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.updated_at < before)
        async with self._engine.connect() as connection:
            return [SessionRow(**row) for row in (await connection.execute(query)).mappings()]

    async def get(self, session: SessionId) -> SessionRow | None:
        """One row."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(table).where(table.c.id == session))).mappings().first()
        return None if row is None else SessionRow(**row)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """As `Wanted.has` says it."""
    at = table.c.status.in_(wanted.statuses) if wanted.statuses else table.c.status != "archived"
    conditions: list[ColumnElement[bool]] = [at]
    if wanted.repository:
        conditions.append(table.c.repository == wanted.repository)
    if wanted.author:
        conditions.append(table.c.author == wanted.author)
    if wanted.words:
        conditions.append(
            or_(table.c.title.icontains(wanted.words, autoescape=True), table.c.id.in_(wanted.among or ()))
        )
    return conditions
