"""Logins kept in memory."""

from datetime import datetime

from outrider.model.ids import SessionId
from outrider.model.membership import Account, person_key


class MemoryLogins:
    """Implements `outrider.ports.logins.Logins`."""

    def __init__(self) -> None:
        self._links: dict[str, tuple[Account, datetime]] = {}
        self._logins: dict[str, tuple[Account, datetime]] = {}

    async def add_link(self, token_hash: str, account: Account, expires_at: datetime) -> None:
        """Remember a login link."""
        self._links[token_hash] = (account, expires_at)

    async def use_link(self, token_hash: str, now: datetime) -> Account | None:
        """Whose link it is, once."""
        account, expires_at = self._links.pop(token_hash, (None, now))
        return account if expires_at > now else None

    async def add_login(self, token_hash: str, account: Account, expires_at: datetime) -> None:
        """Remember a login."""
        self._logins[token_hash] = (account, expires_at)

    async def find_login(self, token_hash: str, now: datetime) -> Account | None:
        """Whose login it is, until its time."""
        account, expires_at = self._logins.get(token_hash, (None, now))
        return account if expires_at > now else None

    async def join(self, token_hash: str, session: SessionId) -> None:
        """A guest has joined one more session."""
        if token_hash in self._logins:
            account, expires_at = self._logins[token_hash]
            joined = account.model_copy(update={"sessions": (*account.sessions, session)})
            self._logins[token_hash] = (joined, expires_at)

    async def knows(self, email: str) -> bool:
        """Whether somebody with this address is no guest."""
        known = [account for account, _ in (*self._links.values(), *self._logins.values())]
        return any(person_key(account.person.email) == email and not account.guest for account in known)

    async def delete_login(self, token_hash: str) -> None:
        """Log out."""
        self._logins.pop(token_hash, None)
