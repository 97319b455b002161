"""Going back to the end of a turn, and going on from it in another session."""

from fastapi import APIRouter

from outrider.api.access import expect_may_start, expect_role
from outrider.api.parts import UseKey, UseLogin, UseParts, authored, once
from outrider.api.views import Accepted, SessionStarted, TurnToFork, TurnToRewind
from outrider.model.commands import Rewind
from outrider.model.ids import SessionId
from outrider.ports.clock import SystemClock
from outrider.session.forking import fork

router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.post("/{session}/rewind", status_code=202)
async def rewind(
    parts: UseParts, login: UseLogin, session: SessionId, wanted: TurnToRewind, key: UseKey = None
) -> Accepted:
    """Bring files, commits and the engine's memory back to the end of a turn. Not while a turn runs."""
    command = once(key, Rewind(wanted.turn, login.person))
    return Accepted(seq=await parts.registry.ask(session, command, login.caller))


@router.post("/{session}/fork", status_code=201)
async def fork_session(
    parts: UseParts, login: UseLogin, session: SessionId, wanted: TurnToFork, key: UseKey = None
) -> SessionStarted:
    """Start a session from another one's files, commits and engine memory as they were after a turn of it. The same key
    again is the same session."""
    expect_may_start(login)
    await expect_role(parts, login, session, "prompter")
    by = authored(login, wanted.author)
    return SessionStarted(session=await fork(parts.registry, session, wanted.turn, by, SystemClock(), key=key))
