"""What people ask about the hosts of a session's sandbox."""

from dataclasses import dataclass
from typing import Literal

from outrider.model.person import Person


@dataclass(frozen=True, slots=True)
class AllowHost:
    """A person allows the sandbox a host. With the scope `repository` it stands on the repository's list already, and
    this only tells the session."""

    host: str
    by: Person
    scope: Literal["session", "repository"] = "session"


@dataclass(frozen=True, slots=True)
class ForbidHost:
    """A person takes a host back. With the scope `repository` it is off the repository's list already."""

    host: str
    by: Person
    scope: Literal["session", "repository"] = "session"
