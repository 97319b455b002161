"""Where links to sessions are kept. Only hashes of tokens are."""

from datetime import datetime
from typing import Protocol

from outrider.model.ids import SessionId
from outrider.model.invite import Invite


class Invites(Protocol):
    """Links by the SHA-256 of their token in hex. One that is past its time or used up is as if it were not there."""

    async def add(self, token_hash: str, invite: Invite) -> None:
        """Remember a link."""

    async def find(self, token_hash: str, now: datetime) -> Invite | None:
        """The link, where it is good."""

    async def use(self, token_hash: str, now: datetime) -> Invite | None:
        """The link, where it is good, with one use less; of two who come for the last use one gets None."""

    async def give_back(self, token_hash: str) -> None:
        """The use came to nothing."""

    async def list(self, session: SessionId, now: datetime) -> list[Invite]:
        """The good links of a session, oldest first."""

    async def revoke(self, session: SessionId, invite: str) -> bool:
        """No one can follow the link any more. Whether it was there."""
