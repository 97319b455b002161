"""Who is asking: the owner's token (terminal, programs) or a login made from a single-use link (browser)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from outrider.model.membership import Caller
from outrider.model.person import Person
from outrider.ports.clock import Clock
from outrider.ports.logins import Logins

LINK_LIFETIME = timedelta(minutes=10)
"""A login link must be followed within this time, once."""

LOGIN_LIFETIME = timedelta(days=30)
"""A browser stays logged in for this long."""

COOKIE = "outrider_login"


@dataclass(frozen=True, slots=True)
class Login:
    """A proven caller. Only the owner's token may speak for somebody else (`may_name_author`), as the terminal does
    for git's user."""

    person: Person
    may_name_author: bool = False

    @property
    def caller(self) -> Caller:
        """Who it is to a session."""
        return Caller(self.person, keeper=self.may_name_author)


def hash_token(token: str) -> str:
    """What is kept of a token: its SHA-256 in hex. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


class Authenticator:
    """Tells who a token belongs to, and makes login links and logins."""

    def __init__(self, owner: Person, owner_token: str, logins: Logins, clock: Clock) -> None:
        self._owner = owner
        self._owner_hash = hash_token(owner_token)
        self._logins = logins
        self._clock = clock

    def owner_login(self, token: str) -> Login | None:
        """The owner, where this is the owner's token; compared in constant time."""
        if compare_digest(hash_token(token), self._owner_hash):
            return Login(self._owner, may_name_author=True)
        return None

    async def cookie_login(self, token: str) -> Login | None:
        """Whose login cookie this is."""
        person = await self._logins.find_login(hash_token(token), self._clock.now())
        return None if person is None else Login(person)

    async def make_link(self, person: Person) -> str:
        """The token of a fresh login link for a person."""
        token = secrets.token_urlsafe(24)
        await self._logins.add_link(hash_token(token), person, self._clock.now() + LINK_LIFETIME)
        return token

    async def follow_link(self, token: str) -> str | None:
        """The token of a fresh login, where the link is good; a link is good once."""
        now = self._clock.now()
        person = await self._logins.use_link(hash_token(token), now)
        if person is None:
            return None
        login = secrets.token_urlsafe(32)
        await self._logins.add_login(hash_token(login), person, now + LOGIN_LIFETIME)
        return login

    async def log_out(self, token: str) -> None:
        """End a login."""
        await self._logins.delete_login(hash_token(token))
