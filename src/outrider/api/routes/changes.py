"""The files that a session has changed."""

from fastapi import APIRouter

from outrider.api.parts import UseParts
from outrider.model.base import Model
from outrider.model.changes import Changes
from outrider.model.ids import SessionId

router = APIRouter(prefix="/api/sessions", tags=["sessions"])


class ChangesAnswer(Model):
    """What differs from the base commit; null where nothing was done yet."""

    changes: Changes | None


@router.get("/{session}/changes")
async def changes(parts: UseParts, session: SessionId) -> ChangesAnswer:
    """The files that differ from the session's base commit, committed or not, as the newest look in its sandbox says;
    where there was none since the server started, as its commits say."""
    return ChangesAnswer(changes=await parts.registry.changed_files.of(session))
