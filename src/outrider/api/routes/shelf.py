"""A session as a whole: its title, its place in the list, the archive."""

from fastapi import APIRouter

from outrider.api.auth import Login
from outrider.api.parts import Parts, UseKey, UseLogin, UseParts, once
from outrider.api.views import Accepted, NewTitle, ToArchive
from outrider.model.commands import Archive, PersonCommand, Pin, Rename, Unarchive
from outrider.model.ids import SessionId
from outrider.session.family import expect_rest

router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.post("/{session}/rename")
async def rename(
    parts: UseParts, login: UseLogin, session: SessionId, wanted: NewTitle, key: UseKey = None
) -> Accepted:
    """Give the session another title."""
    return await _ask(parts, login, session, key, Rename(wanted.title, login.person))


@router.post("/{session}/pin")
async def pin(parts: UseParts, login: UseLogin, session: SessionId, key: UseKey = None) -> Accepted:
    """Put the session at the top of everybody's list."""
    return await _ask(parts, login, session, key, Pin(True, login.person))


@router.post("/{session}/unpin")
async def unpin(parts: UseParts, login: UseLogin, session: SessionId, key: UseKey = None) -> Accepted:
    """Put the session back among the others."""
    return await _ask(parts, login, session, key, Pin(False, login.person))


@router.post("/{session}/archive")
async def archive(
    parts: UseParts, login: UseLogin, session: SessionId, how: ToArchive | None = None, key: UseKey = None
) -> Accepted:
    """Put the session away: its sandbox goes, its story and its newest snapshot stay. Refused while a turn runs, unless
    it may be stopped: then what waits is taken back, and the session is archived once its files are kept."""
    how = how or ToArchive()
    family = parts.spawning.family
    if how.children and not how.stop:
        expect_rest((await family.members(session))[1:])
    accepted = await _ask(parts, login, session, key, Archive(login.person, stop=how.stop))
    if how.children:
        await family.archive_below(session, login.person, stop=how.stop)
    return accepted


@router.post("/{session}/unarchive")
async def unarchive(parts: UseParts, login: UseLogin, session: SessionId, key: UseKey = None) -> Accepted:
    """Take the session out of the archive. It wakes with its next prompt, with the files of its last turn."""
    return await _ask(parts, login, session, key, Unarchive(login.person))


async def _ask(parts: Parts, login: Login, session: SessionId, key: str | None, command: PersonCommand) -> Accepted:
    return Accepted(seq=await parts.registry.ask(session, once(key, command), login.caller))
