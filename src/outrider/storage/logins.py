"""Logins in the catalog. What is past its time is deleted when the next link is used."""

from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.person import Person
from outrider.storage.tables import login as table

Kind = Literal["link", "login"]


class SqlLogins:
    """Implements `outrider.ports.logins.Logins`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add_link(self, token_hash: str, person: Person, expires_at: datetime) -> None:
        """Remember a login link."""
        await self._add("link", token_hash, person, expires_at)

    async def use_link(self, token_hash: str, now: datetime) -> Person | None:
        """Whose link it is, once: a second call, or one after its time, gets None."""
        mine = (table.c.kind == "link") & (table.c.token_hash == token_hash)
        statement = delete(table).where(mine).returning(table.c.person, table.c.expires_at)
        async with self._engine.begin() as connection:
            row = (await connection.execute(statement)).first()
            await connection.execute(delete(table).where(table.c.expires_at <= now))
        if row is None or row.expires_at <= now:
            return None
        return Person.model_validate_json(row.person)

    async def add_login(self, token_hash: str, person: Person, expires_at: datetime) -> None:
        """Remember a login."""
        await self._add("login", token_hash, person, expires_at)

    async def find_login(self, token_hash: str, now: datetime) -> Person | None:
        """Whose login it is, until its time."""
        mine = (table.c.kind == "login") & (table.c.token_hash == token_hash) & (table.c.expires_at > now)
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(table.c.person).where(mine))).first()
        return None if row is None else Person.model_validate_json(row.person)

    async def delete_login(self, token_hash: str) -> None:
        """Log out. No error where there is none."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(table).where(table.c.token_hash == token_hash))

    async def _add(self, kind: Kind, token_hash: str, person: Person, expires_at: datetime) -> None:
        values = {"kind": kind, "person": person.model_dump_json(), "expires_at": expires_at}
        statement = insert(table).values(token_hash=token_hash, **values)
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=[table.c.token_hash], set_=values))
