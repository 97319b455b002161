"""What people ask of a session as a whole: another name, the top of the list, the archive."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import BadRequest, Refused
from outrider.model.limits import FIXED, raised_by
from outrider.session import wording
from outrider.session.decide.people import stop_turn
from outrider.session.state import State

LONGEST_TITLE = 200


def rename(state: State, command: c.Rename) -> tuple[e.Event, ...]:
    """Another title, on one line."""
    title = " ".join(wording.sentence(command.title).split())
    if not title:
        raise BadRequest("The title is empty.", "Say in a few words what the session is about.")
    if len(title) > LONGEST_TITLE:
        raise BadRequest(
            f"The title is longer than {LONGEST_TITLE} characters.", f"Say it in a few words. {raised_by(FIXED)}"
        )
    return () if title == state.title else (e.SessionRenamed(title=title, by=command.by),)


def pin(state: State, command: c.Pin) -> tuple[e.Event, ...]:
    """At the top of the list for everybody, or not any more."""
    if command.pinned == state.pinned:
        return ()
    return (e.SessionPinned(pinned=command.pinned, by=command.by),)


def archive(state: State, command: c.Archive) -> tuple[e.Event, ...]:
    """The session is put away. Where something runs or waits, only if that may be stopped and taken back; where the
    files of its last turn are not kept yet, as soon as they are."""
    if state.archived or state.archiving:
        return ()
    if (state.turn or state.queue) and not command.stop:
        raise Refused(_busy(state), "Archive it with `stop`: the turn is stopped, and what waits is taken back.")
    if state.turn is None and not state.queue and not state.snapshot_due:
        return (e.SessionArchived(by=command.by),)
    withdrawn = (e.PromptWithdrawn(prompt=prompt.id, by=command.by) for prompt in state.queue)
    stopped = stop_turn(state.turn, command.by) if state.turn else ()
    return (*withdrawn, e.ArchiveRequested(by=command.by), *stopped)


def unarchive(state: State, command: c.Unarchive) -> tuple[e.Event, ...]:
    """The session is taken out again, with the files of its last turn."""
    return (e.SessionUnarchived(by=command.by),) if state.archived or state.archiving else ()


def _busy(state: State) -> str:
    runs = "A turn runs in this session" if state.turn else "The session is not at rest"
    waiting = len(state.queue)
    return f"{runs}, and {wording.count(waiting, 'prompt')} wait for it." if waiting else f"{runs}."
