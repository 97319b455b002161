"""Events of a session's people as lines of the transcript. Part of `cli.draw`."""

from outrider.cli.clean import clean_line
from outrider.model import events as e

NOTES = (e.MemberJoined, e.RoleChanged, e.MemberLeft)


def note(event: e.MemberJoined | e.RoleChanged | e.MemberLeft) -> str:
    """One quiet line."""
    name = clean_line(event.person.name)
    by = clean_line(event.by.name) if event.by else ""
    match event:
        case e.MemberJoined(role=role, guest=guest):
            invited = f", invited by {by}" if by else ""
            return f"{name} joined as {role}{' (a guest)' if guest else ''}{invited}."
        case e.RoleChanged(role=role):
            return f"{by} made {name} {role}."
        case e.MemberLeft(person=person, by=who):
            return f"{name} left the session." if person == who else f"{by} removed {name} from the session."
