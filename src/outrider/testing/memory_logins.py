"""Logins kept in memory."""

from datetime import datetime

from outrider.model.person import Person


class MemoryLogins:
    """Implements `outrider.ports.logins.Logins`."""

    def __init__(self) -> None:
        self._links: dict[str, tuple[Person, datetime]] = {}
        self._logins: dict[str, tuple[Person, datetime]] = {}

    async def add_link(self, token_hash: str, person: Person, expires_at: datetime) -> None:
        """Remember a login link."""
        self._links[token_hash] = (person, expires_at)

    async def use_link(self, token_hash: str, now: datetime) -> Person | None:
        """Whose link it is, once."""
        person, expires_at = self._links.pop(token_hash, (None, now))
        return person if expires_at > now else None

    async def add_login(self, token_hash: str, person: Person, expires_at: datetime) -> None:
        """Remember a login."""
        self._logins[token_hash] = (person, expires_at)

    async def find_login(self, token_hash: str, now: datetime) -> Person | None:
        """Whose login it is, until its time."""
        person, expires_at = self._logins.get(token_hash, (None, now))
        return person if expires_at > now else None

    async def delete_login(self, token_hash: str) -> None:
        """Log out."""
        self._logins.pop(token_hash, None)
