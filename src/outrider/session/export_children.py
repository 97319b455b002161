"""Child sessions in a story. Part of `session.export`."""

from outrider.model import children as k
from outrider.model import events as e


def kin(event: e.Event) -> str:
    """A sentence about a session that this one started; empty for all else."""
    match event:
        case k.ChildSpawned(child=child):
            return f"Started the session {child}."
        case k.ChildRefused(child=child, reason=reason):
            return f"The session {child} could not be started: {reason}"
        case k.ChildPrompted(child=child):
            return f"Sent the session {child} another prompt."
        case k.ChildEnded(child=child, result=result):
            opened = f" {result.pull_request}" if result.pull_request else ""
            return f"The session {child} rests ({result.reason}): {result.summary}{opened}"
        case k.ChildrenStopRequested(children=children, by=by):
            return f"{by.name} asked that these stop too: {', '.join(children)}."
    return ""
