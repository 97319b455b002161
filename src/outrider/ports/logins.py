"""Who is logged in. Only hashes of tokens are kept."""

from datetime import datetime
from typing import Protocol

from outrider.model.ids import SessionId
from outrider.model.membership import Account


class Logins(Protocol):
    """Login links (single use) and logins (cookies), each by the SHA-256 of its token in hex."""

    async def add_link(self, token_hash: str, account: Account, expires_at: datetime) -> None:
        """Remember a login link."""

    async def use_link(self, token_hash: str, now: datetime) -> Account | None:
        """Whose link it is, once: a second call, or one after its time, gets None."""

    async def add_login(self, token_hash: str, account: Account, expires_at: datetime) -> None:
        """Remember a login."""

    async def find_login(self, token_hash: str, now: datetime) -> Account | None:
        """Whose login it is, until its time."""

    async def join(self, token_hash: str, session: SessionId) -> None:
        """A guest has joined one more session with this login. No error where there is none."""

    async def knows(self, email: str) -> bool:
        """Whether somebody with this address, in lower case, is logged in or may be who is no guest."""

    async def delete_login(self, token_hash: str) -> None:
        """Log out. No error where there is none."""
