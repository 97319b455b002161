"""Links by which people join a session."""

from pydantic import AwareDatetime, Field

from outrider.model.base import Model
from outrider.model.ids import SessionId
from outrider.model.membership import Role
from outrider.model.person import Person

MOST_HOURS = 24 * 90
MOST_USES = 1000
MOST_LINKS = 100
"""Of one session at a time."""


class Invite(Model):
    """A link to one session, as owners see it. The link itself is shown once, when it is made."""

    id: str
    session: SessionId
    role: Role
    by: Person
    made_at: AwareDatetime
    expires_at: AwareDatetime
    uses: int = Field(ge=1, description="How many people may follow it")
    used: int = Field(default=0, ge=0)
