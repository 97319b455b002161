"""Events of a session as a whole as lines of the transcript. Part of `cli.draw`."""

from typing import assert_never

from outrider.cli.clean import clean_line
from outrider.model import events as e

Whole = e.SessionRenamed | e.SessionPinned | e.ArchiveRequested | e.SessionArchived | e.SessionUnarchived
SALVAGED = (e.LogSalvaged,)
NOTES = (e.SessionRenamed, e.SessionPinned, e.ArchiveRequested, e.SessionArchived, e.SessionUnarchived)


def salvaged(event: e.LogSalvaged) -> str:
    """What was lost."""
    return (
        f"The session's log was damaged. Its first {event.kept} events could be read; what came later is lost. Nothing "
        f"goes on by itself: look at the workspace and prompt again. The damaged file is in {clean_line(event.place)}."
    )


def note(event: Whole) -> str:
    """One quiet line."""
    who = clean_line(event.by.name)
    match event:
        case e.SessionRenamed(title=title):
            return f"{who} renamed the session: {clean_line(title)}"
        case e.SessionPinned(pinned=pinned):
            return f"{who} {'pinned' if pinned else 'unpinned'} the session."
        case e.ArchiveRequested():
            return f"{who} archives the session as soon as its turn has stopped and its files are kept."
        case e.SessionArchived():
            return f"{who} archived the session."
        case e.SessionUnarchived():
            return f"{who} took the session out of the archive."
        case never:
            assert_never(never)
