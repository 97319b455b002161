"""What people did in a session, beside prompting, as lines of its story. Part of `session.export`."""

from outrider.model import events as e


def deed(event: e.Event) -> str:
    """One sentence that names who; nothing for what nobody in particular did."""
    match event:
        case e.PromptWithdrawn(by=by):
            return f"{by.name} withdrew a prompt."
        case e.PromptMoved(by=by, position=position):
            return f"{by.name} moved a prompt to place {position + 1} of the queue."
        case e.StopRequested(by=by):
            return f"{by.name} asked to stop."
        case e.HostAllowed(by=by, host=host, scope=scope):
            return f"{by.name} allowed {host} to this {scope}."
        case e.SessionRewound(by=by, number=number):
            return f"{by.name} rewound the session to turn {number}."
        case e.PullRequestChanged(by=by, number=number, state=state):
            return f"{by.name}: pull request #{number} is {state}."
    return _membership(event)


def _membership(event: e.Event) -> str:
    match event:
        case e.MemberJoined(person=person, role=role, guest=guest, by=by):
            invited = f", invited by {by.name}" if by else ""
            return f"{person.name} joined as {role}{' (a guest)' if guest else ''}{invited}."
        case e.RoleChanged(person=person, role=role, by=by):
            return f"{by.name} made {person.name} {role}."
        case e.MemberLeft(person=person, by=by):
            return f"{person.name} left." if person == by else f"{by.name} removed {person.name}."
    return ""
