"""Who is in a session: roles, and links to join by."""

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from outrider.api.access import expect_role, role_for
from outrider.api.auth import hash_token
from outrider.api.parts import UseLogin, UseParts
from outrider.api.views import Accepted
from outrider.model.base import Model
from outrider.model.commands import Leave, SetRole
from outrider.model.errors import NotFound
from outrider.model.ids import SessionId, new_id
from outrider.model.invite import MOST_HOURS, MOST_LINKS, MOST_USES, Invite
from outrider.model.limits import FIXED, limit_reached
from outrider.model.membership import Member, Role, person_key
from outrider.model.person import Person, PersonEmail, PersonName

router = APIRouter(prefix="/api/sessions/{session}", tags=["people"])


class MemberList(Model):
    """The people of a session."""

    members: tuple[Member, ...]
    others: Role | None = Field(description="The role of whoever is logged in and no member; null: they see nothing")
    yours: Role


class NewRole(Model):
    """A role for a person. The name is needed where they are no member yet."""

    role: Role
    name: PersonName | None = None


class NewInvite(Model):
    """A link to the session."""

    role: Role = "prompter"
    hours: float = Field(default=24, gt=0, le=MOST_HOURS, description="How long it can be followed")
    uses: int = Field(default=1, ge=1, le=MOST_USES, description="How many people may follow it")


class InviteMade(Model):
    """The link, shown this once."""

    url: str
    invite: Invite


class InviteList(Model):
    """Links that can still be followed, oldest first."""

    invites: tuple[Invite, ...]


@router.get("/members")
async def members(parts: UseParts, login: UseLogin, session: SessionId) -> MemberList:
    """The people of a session, and what you may in it."""
    found = await parts.registry.members(session)
    yours = await role_for(parts, login, session) or "viewer"
    return MemberList(members=tuple(found.values()), others=parts.house.others, yours=yours)


@router.put("/members/{email}", status_code=202)
async def set_role(
    parts: UseParts, login: UseLogin, session: SessionId, email: PersonEmail, wanted: NewRole
) -> Accepted:
    """Give a person a role. Who was no member becomes one. For owners."""
    known = (await parts.registry.members(session)).get(person_key(email))
    person = known.person if known else Person(name=wanted.name or email.partition("@")[0], email=email)
    return Accepted(seq=await parts.registry.ask(session, SetRole(person, wanted.role, login.person), login.caller))


@router.delete("/members/{email}", status_code=202)
async def remove(parts: UseParts, login: UseLogin, session: SessionId, email: PersonEmail) -> Accepted:
    """Send a member away, or leave."""
    person = Person(name=email.partition("@")[0], email=email)
    return Accepted(seq=await parts.registry.ask(session, Leave(person, login.person), login.caller))


@router.post("/links", status_code=201)
async def make_link(parts: UseParts, login: UseLogin, session: SessionId, wanted: NewInvite) -> InviteMade:
    """Make a link by which people join with a role. For owners. Only its hash is kept: it is shown this once."""
    await expect_role(parts, login, session, "owner")
    now = parts.clock.now()
    if len(await parts.invites.list(session, now)) >= MOST_LINKS:
        sentence = f"{MOST_LINKS} links to this session can be followed already, which is the most."
        raise limit_reached(sentence, "An owner of the session can revoke some first.", FIXED)
    token = secrets.token_urlsafe(24)
    invite = Invite(
        id=new_id("link"),
        session=session,
        role=wanted.role,
        by=login.person,
        made_at=now,
        expires_at=now + timedelta(hours=wanted.hours),
        uses=wanted.uses,
    )
    await parts.invites.add(hash_token(token), invite)
    return InviteMade(url=f"{parts.address()}/join#{token}", invite=invite)


@router.get("/links")
async def links(parts: UseParts, login: UseLogin, session: SessionId) -> InviteList:
    """The links that can still be followed. For owners."""
    await expect_role(parts, login, session, "owner")
    return InviteList(invites=tuple(await parts.invites.list(session, parts.clock.now())))


@router.delete("/links/{invite}", status_code=204)
async def revoke(
    parts: UseParts, login: UseLogin, session: SessionId, invite: Annotated[str, Path(max_length=40)]
) -> None:
    """Have a link lead nowhere from now on. Who has followed it stays a member. For owners."""
    await expect_role(parts, login, session, "owner")
    if not await parts.invites.revoke(session, invite):
        raise NotFound("There is no such link to this session.", f"See `outrider share {session} --list`.")
