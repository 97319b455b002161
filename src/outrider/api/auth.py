"""Who is asking: the owner's token (terminal, programs) or a login made from a single-use link (browser)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from urllib.parse import quote, unquote

from pydantic import ValidationError

from outrider.model.errors import BadRequest
from outrider.model.ids import SessionId
from outrider.model.membership import Account, Caller, person_key
from outrider.model.person import Person
from outrider.ports.clock import Clock
from outrider.ports.logins import Logins

LINK_LIFETIME = timedelta(minutes=10)
"""A login link must be followed within this time, once."""

LOGIN_LIFETIME = timedelta(days=30)
"""A browser stays logged in for this long."""

COOKIE = "outrider_login"

AUTHOR_HEADER = "outrider-author"
"""With the owner's token: in whose name all of a request is, as `author_header` writes it."""


@dataclass(frozen=True, slots=True)
class Login:
    """A proven caller. Only the owner's token may speak for somebody else (`may_name_author`), as the terminal does
    for git's user."""

    account: Account
    may_name_author: bool = False

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.account.person

    @property
    def caller(self) -> Caller:
        """Who it is to a session."""
        keeper = self.may_name_author or self.account.role == "owner"
        return Caller(self.person, keeper, self.account.guest, self.account.role)


def hash_token(token: str) -> str:
    """What is kept of a token: its SHA-256 in hex. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def author_header(person: Person) -> str:
    """`NAME <EMAIL>`, percent-encoded: a header holds no other letters than ASCII."""
    return quote(f"{person.name} <{person.email}>")


def named_author(header: str) -> Person:
    """Who a header names. Raises BadRequest."""
    name, _, email = unquote(header).removesuffix(">").rpartition("<")
    try:
        return Person(name=name, email=email)
    except ValidationError as error:
        raise BadRequest(f"{AUTHOR_HEADER} names nobody.", "Write it as NAME <EMAIL>, percent-encoded.") from error


class Authenticator:
    """Tells who a token belongs to, and makes login links and logins."""

    def __init__(self, owner: Person, owner_token: str, logins: Logins, clock: Clock) -> None:
        self._owner = owner
        self._owner_hash = hash_token(owner_token)
        self._logins = logins
        self._clock = clock

    def owner_login(self, token: str, named: Person | None = None) -> Login | None:
        """The owner, under the name that they give, where this is the owner's token; compared in constant time."""
        if not compare_digest(hash_token(token), self._owner_hash):
            return None
        account = Account(person=named, role="owner") if named else Account(person=self._owner)
        return Login(account, may_name_author=True)

    async def cookie_login(self, token: str) -> Login | None:
        """Whose login cookie this is."""
        account = await self._logins.find_login(hash_token(token), self._clock.now())
        return None if account is None else Login(account)

    async def make_link(self, account: Account) -> str:
        """The token of a fresh login link for somebody."""
        token = secrets.token_urlsafe(24)
        await self._logins.add_link(hash_token(token), account, self._clock.now() + LINK_LIFETIME)
        return token

    async def follow_link(self, token: str) -> str | None:
        """The token of a fresh login, where the link is good; a link is good once."""
        account = await self._logins.use_link(hash_token(token), self._clock.now())
        return None if account is None else await self.log_in(account)

    async def log_in(self, account: Account) -> str:
        """The token of a fresh login."""
        login = secrets.token_urlsafe(32)
        await self._logins.add_login(hash_token(login), account, self._clock.now() + LOGIN_LIFETIME)
        return login

    async def join(self, token: str, session: SessionId) -> None:
        """A guest's login is good for one more session."""
        await self._logins.join(hash_token(token), session)

    async def is_known(self, person: Person) -> bool:
        """Whether the address is the owner's, or of somebody who is logged in and no guest."""
        key = person_key(person.email)
        return key == person_key(self._owner.email) or await self._logins.knows(key)

    async def log_out(self, token: str) -> None:
        """End a login."""
        await self._logins.delete_login(hash_token(token))
