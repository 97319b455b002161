"""Logins in the catalog. What is past its time is deleted when the next link is used."""

from datetime import datetime
from typing import Literal

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.ids import SessionId
from outrider.model.membership import Account, person_key
from outrider.model.person import Person
from outrider.storage.tables import login as table

Kind = Literal["link", "login", "guest"]


class SqlLogins:
    """Implements `outrider.ports.logins.Logins`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add_link(self, token_hash: str, account: Account, expires_at: datetime) -> None:
        """Remember a login link."""
        await self._add("link", token_hash, account, expires_at)

    async def use_link(self, token_hash: str, now: datetime) -> Account | None:
        """Whose link it is, once: a second call, or one after its time, gets None."""
        mine = (table.c.kind == "link") & (table.c.token_hash == token_hash)
        statement = delete(table).where(mine).returning(table.c.person, table.c.account, table.c.expires_at)
        async with self._engine.begin() as connection:
            row = (await connection.execute(statement)).mappings().first()
            await connection.execute(delete(table).where(table.c.expires_at <= now))
        return None if row is None or row["expires_at"] <= now else _account(row)

    async def add_login(self, token_hash: str, account: Account, expires_at: datetime) -> None:
        """Remember a login."""
        await self._add("guest" if account.guest else "login", token_hash, account, expires_at)

    async def find_login(self, token_hash: str, now: datetime) -> Account | None:
        """Whose login it is, until its time."""
        mine = (table.c.kind != "link") & (table.c.token_hash == token_hash) & (table.c.expires_at > now)
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(table.c.person, table.c.account).where(mine))).mappings().first()
        return None if row is None else _account(row)

    async def join(self, token_hash: str, session: SessionId) -> None:
        """A guest has joined one more session with this login."""
        mine = table.c.token_hash == token_hash
        async with self._engine.begin() as connection:
            row = (await connection.execute(select(table.c.person, table.c.account).where(mine))).mappings().first()
            if row is not None:
                account = _account(row)
                joined = account.model_copy(update={"sessions": (*account.sessions, session)})
                await connection.execute(update(table).where(mine).values(account=joined.model_dump_json()))

    async def knows(self, email: str) -> bool:
        """Whether somebody with this address is logged in or may be who is no guest."""
        mine = (table.c.email == email) & (table.c.kind != "guest")
        async with self._engine.connect() as connection:
            return (await connection.execute(select(table.c.email).where(mine).limit(1))).first() is not None

    async def delete_login(self, token_hash: str) -> None:
        """Log out. No error where there is none."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(table).where(table.c.token_hash == token_hash))

    async def _add(self, kind: Kind, token_hash: str, account: Account, expires_at: datetime) -> None:
        values = {
            "kind": kind,
            "person": account.person.model_dump_json(),
            "account": account.model_dump_json(),
            "email": person_key(account.person.email),
            "expires_at": expires_at,
        }
        statement = insert(table).values(token_hash=token_hash, **values)
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=[table.c.token_hash], set_=values))


def _account(row: RowMapping) -> Account:
    """A login of before there were accounts is its person's."""
    if row["account"]:
        return Account.model_validate_json(row["account"])
    return Account(person=Person.model_validate_json(row["person"]))
