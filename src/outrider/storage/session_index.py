"""The index of sessions in the catalog."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, delete, func, or_, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from outrider.model.ids import SessionId
from outrider.model.membership import Member
from outrider.ports.store import SessionRow, Wanted
from outrider.storage.tables import session as table
from outrider.storage.tables import session_member

_COLUMNS = tuple(field.name for field in fields(SessionRow) if field.name != "members")


class SqlSessionIndex:
    """Implements `outrider.ports.store.SessionIndex`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, *rows: SessionRow) -> None:
        """Insert or replace rows of different sessions, all or none. An older `projected_seq` never replaces a newer
        one."""
        statement = insert(table)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={name: statement.excluded[name] for name in _COLUMNS},
            where=table.c.projected_seq <= statement.excluded.projected_seq,
        )
        values = [{name: getattr(row, name) for name in _COLUMNS} for row in rows]
        async with self._engine.begin() as connection:
            await connection.execute(statement, values)
            await _put_members(connection, rows)

    async def choose(self, wanted: Wanted, *, limit: int, before: datetime | None = None) -> list[SessionRow]:
        """Those that are wanted: pinned ones first, then the newest change first."""
        query = select(table).where(*_conditions(wanted))
        query = query.order_by(table.c.pinned.desc(), table.c.updated_at.desc(), table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.updated_at < before, table.c.pinned.is_(False))
        async with self._engine.connect() as connection:
            found = list((await connection.execute(query)).mappings())
            return await _with_members(connection, found)

    async def list(self, *, limit: int, before: datetime | None = None, member: str = "") -> list[SessionRow]:
        """Newest change first; those of one member alone where their email, in lower case, is given."""
        query = select(table).order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.updated_at < before)
        if member:
            query = query.where(table.c.id.in_(_of_member(member)))
        async with self._engine.connect() as connection:
            found = list((await connection.execute(query)).mappings())
            return await _with_members(connection, found)

    async def get(self, session: SessionId) -> SessionRow | None:
        """One row."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(table).where(table.c.id == session))).mappings().first()
            return None if row is None else (await _with_members(connection, [row]))[0]

    async def counts(self) -> dict[str, int]:
        """How many there are of each status."""
        query = select(table.c.status, func.count()).group_by(table.c.status)
        async with self._engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}


async def _put_members(connection: AsyncConnection, rows: Sequence[SessionRow]) -> None:
    """Of those that are the newest now."""
    query = select(table.c.id, table.c.projected_seq).where(table.c.id.in_([row.id for row in rows]))
    newest = {found[0]: found[1] for found in await connection.execute(query)}
    written = [row for row in rows if newest[row.id] == row.projected_seq]
    await connection.execute(delete(session_member).where(session_member.c.session.in_([row.id for row in written])))
    values: list[dict[str, Any]] = [
        {"session": row.id, "email": email, "document": member.model_dump_json()}
        for row in written
        for email, member in row.members.items()
    ]
    if values:
        await connection.execute(plain_insert(session_member), values)


async def _with_members(connection: AsyncConnection, rows: Iterable[RowMapping]) -> list[SessionRow]:
    found = list(rows)
    query = select(session_member).where(session_member.c.session.in_([row["id"] for row in found]))
    members: dict[str, dict[str, Member]] = defaultdict(dict)
    for one in (await connection.execute(query)).mappings():
        members[one["session"]][one["email"]] = Member.model_validate_json(one["document"])
    return [SessionRow(**row, members=members[row["id"]]) for row in found]


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
    if wanted.member:
        conditions.append(table.c.id.in_(_of_member(wanted.member)))
    if wanted.only is not None:
        conditions.append(table.c.id.in_(wanted.only))
    return conditions


def _of_member(email: str) -> Select[tuple[str]]:
    return select(session_member.c.session).where(session_member.c.email == email)
