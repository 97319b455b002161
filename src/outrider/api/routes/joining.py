"""Following a link into a session, with a login or without one.

The token is in the link's fragment, which no browser sends: it comes in the body of a request of our own page, and so
is in no log of any server or proxy on the way.
"""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from starlette.requests import Request

from outrider.api.auth import COOKIE, LOGIN_LIFETIME, Login, hash_token
from outrider.api.gate import cookie_value
from outrider.api.parts import Parts, UseParts
from outrider.model.base import Model
from outrider.model.commands import Join
from outrider.model.errors import BadRequest, NotFound, OutriderError, Refused
from outrider.model.ids import SessionId
from outrider.model.invite import Invite
from outrider.model.membership import Account, Role, person_key
from outrider.model.person import Person

router = APIRouter(prefix="/api/join", tags=["people"])

Token = Annotated[str, Field(min_length=8, max_length=100)]


class Link(Model):
    """A link to a session: what stands behind its `#`."""

    token: Token


class LinkShown(Model):
    """What a link leads to."""

    title: str
    role: Role
    by: Person
    you: Person | None = Field(description="Who you are logged in as; null: say who you are to join")


class Joining(Model):
    """Follow a link. Without a login, say who you are."""

    token: Token
    person: Person | None = None


class Joined(Model):
    """You are in."""

    session: SessionId
    role: Role


@router.post("/look")
async def look(parts: UseParts, request: Request, link: Link) -> LinkShown:
    """What a link leads to, and as whom you would join."""
    invite = await _good(parts, request, link.token)
    state = await parts.registry.state(invite.session)
    login = _login(request)
    return LinkShown(title=state.created.title, role=invite.role, by=invite.by, you=login.person if login else None)


@router.post("")
async def join(parts: UseParts, request: Request, response: Response, wanted: Joining) -> Joined:
    """Join the session of a link. With a login at once; without one as a guest, whose login is good for sessions that
    they were invited to and nothing else."""
    await _good(parts, request, wanted.token)
    login = _login(request)
    if login is None and wanted.person is None:
        raise BadRequest("Who are you?", "Give your name and email to join as a guest.")
    key = hash_token(wanted.token)
    invite = await parts.invites.use(key, parts.clock.now())
    if invite is None:
        raise _gone()
    try:
        if login is None:
            await _as_guest(parts, response, invite, wanted.person)
        elif not await _with_login(parts, request, login, invite):
            await parts.invites.give_back(key)
    except OutriderError:
        await parts.invites.give_back(key)
        raise
    return Joined(session=invite.session, role=invite.role)


async def _good(parts: Parts, request: Request, token: str) -> Invite:
    """The link, where it is good. Raises NotFound, TooManyAttempts."""
    address = request.client.host if request.client else ""
    parts.attempts.expect_few(address)
    invite = await parts.invites.find(hash_token(token), parts.clock.now())
    if invite is None:
        parts.attempts.note(address)
        raise _gone()
    return invite


async def _as_guest(parts: Parts, response: Response, invite: Invite, person: Person | None) -> None:
    assert person is not None
    if await _is_known(parts, person):
        raise Refused("Somebody with this address has a login here.", "Log in first, then follow the link again.")
    await parts.registry.ask(invite.session, Join(person, invite.role, invite.by, guest=True))
    token = await parts.authenticator.log_in(Account(person=person, guest=True, sessions=(invite.session,)))
    seconds = int(LOGIN_LIFETIME.total_seconds())
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="strict")


async def _with_login(parts: Parts, request: Request, login: Login, invite: Invite) -> bool:
    """Whether anything came of it: who is in already, with as much, uses nothing up."""
    person = login.person
    if not login.account.guest:
        return bool(await parts.registry.ask(invite.session, Join(person, invite.role, invite.by)))
    member = (await parts.registry.members(invite.session)).get(person_key(person.email))
    again = invite.session in login.account.sessions and member is not None and member.guest
    seq = await parts.registry.ask(invite.session, Join(person, invite.role, invite.by, guest=not again))
    token = cookie_value(request.headers)
    if token and invite.session not in login.account.sessions:
        await parts.authenticator.join(token, invite.session)
    return bool(seq)


async def _is_known(parts: Parts, person: Person) -> bool:
    """Whether the address is somebody's who is more than a guest anywhere: nobody becomes them by typing it."""
    if await parts.authenticator.is_known(person):
        return True
    key = person_key(person.email)
    return any(not row.members[key].guest for row in await parts.index.list(limit=100, member=key))


def _login(request: Request) -> Login | None:
    login = getattr(request.state, "login", None)
    return login if isinstance(login, Login) else None


def _gone() -> NotFound:
    return NotFound("This link leads nowhere: it was revoked, used up, or is too old.", "Ask for a fresh one.")
