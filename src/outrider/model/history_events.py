"""Events of a session as a whole, among others: its name, its place in the list, and whether it is put away."""

from typing import Literal

from pydantic import Field

from outrider.model.base import Model, Sentence
from outrider.model.person import Person


class LogSalvaged(Model):
    """The log was damaged. What could be read from its beginning on is here; what came after is lost to the session, so
    nothing that was under way goes on by itself."""

    type: Literal["log_salvaged"] = "log_salvaged"
    kept: int = Field(ge=1, description="Events that could be read")
    place: str = Field(max_length=4096, description="Where the damaged file was put")
    reason: Sentence


class SessionRenamed(Model):
    """The session has another title."""

    type: Literal["session_renamed"] = "session_renamed"
    title: str = Field(min_length=1, max_length=200)
    by: Person


class SessionPinned(Model):
    """The session stands at the top of the list for everybody, or, where `pinned` is false, no longer does."""

    type: Literal["session_pinned"] = "session_pinned"
    pinned: bool = True
    by: Person


class ArchiveRequested(Model):
    """The session is to be archived as soon as its turn has stopped and its files are kept. It takes no more prompts;
    what waited was taken back."""

    type: Literal["archive_requested"] = "archive_requested"
    by: Person


class SessionArchived(Model):
    """The session is put away: no sandbox, no more prompts, until somebody takes it out again."""

    type: Literal["session_archived"] = "session_archived"
    by: Person


class SessionUnarchived(Model):
    """The session is taken out of the archive, or is not to be archived any more."""

    type: Literal["session_unarchived"] = "session_unarchived"
    by: Person
