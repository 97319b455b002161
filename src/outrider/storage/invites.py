"""Links to sessions, in the catalog. What is past its time is deleted when the next one is made."""

from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.ids import SessionId
from outrider.model.invite import Invite
from outrider.model.person import Person
from outrider.storage.tables import invite as table


class SqlInvites:
    """Implements `outrider.ports.invites.Invites`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, token_hash: str, invite: Invite) -> None:
        """Remember a link."""
        values = {**invite.model_dump(exclude={"by"}), "by": invite.by.model_dump_json(), "token_hash": token_hash}
        async with self._engine.begin() as connection:
            await connection.execute(delete(table).where(table.c.expires_at <= invite.made_at))
            await connection.execute(insert(table).values(values))

    async def find(self, token_hash: str, now: datetime) -> Invite | None:
        """The link, where it is good."""
        query = select(table).where((table.c.token_hash == token_hash) & _good(now))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else _invite(row)

    async def use(self, token_hash: str, now: datetime) -> Invite | None:
        """The link, where it is good, with one use less."""
        mine = (table.c.token_hash == token_hash) & _good(now)
        statement = update(table).where(mine).values(used=table.c.used + 1).returning(*table.c)
        async with self._engine.begin() as connection:
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else _invite(row)

    async def give_back(self, token_hash: str) -> None:
        """The use came to nothing."""
        statement = update(table).where(table.c.token_hash == token_hash).values(used=table.c.used - 1)
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def list(self, session: SessionId, now: datetime) -> list[Invite]:
        """The good links of a session, oldest first."""
        query = select(table).where((table.c.session == session) & _good(now)).order_by(table.c.made_at, table.c.id)
        async with self._engine.connect() as connection:
            return [_invite(row) for row in (await connection.execute(query)).mappings()]

    async def revoke(self, session: SessionId, invite: str) -> bool:
        """No one can follow the link any more."""
        mine = (table.c.session == session) & (table.c.id == invite)
        async with self._engine.begin() as connection:
            return (await connection.execute(delete(table).where(mine).returning(table.c.id))).first() is not None


def _good(now: datetime) -> ColumnElement[bool]:
    return (table.c.expires_at > now) & (table.c.used < table.c.uses)


def _invite(row: RowMapping) -> Invite:
    found = {name: value for name, value in row.items() if name not in ("by", "token_hash")}
    return Invite(**found, by=Person.model_validate_json(row["by"]))
