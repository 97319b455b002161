"""Events of child sessions as lines of the transcript. Part of `cli.draw`."""

from outrider.cli.clean import clean_line
from outrider.model import children as k

NOTES = (k.ChildSpawned, k.ChildPrompted, k.ChildEnded, k.ChildrenStopRequested)
WARNINGS = (k.ChildRefused,)


def note(event: k.ChildSpawned | k.ChildPrompted | k.ChildEnded | k.ChildrenStopRequested) -> str:
    """One quiet line."""
    match event:
        case k.ChildSpawned(child=child):
            return f"Started the session {child}. Follow it: outrider attach {child}"
        case k.ChildPrompted(child=child, prompt=prompt):
            return f"Sent {child} a prompt: {clean_line(prompt.text)[:200]}"
        case k.ChildEnded(child=child, result=result):
            opened = f" {clean_line(result.pull_request)}" if result.pull_request else ""
            return f"The session {child} rests ({result.reason}): {clean_line(result.summary)}{opened}"
        case k.ChildrenStopRequested(children=children, by=by):
            return f"{clean_line(by.name)} asked that these stop too: {', '.join(children)}."


def warning(event: k.ChildRefused) -> str:
    """What did not come to be."""
    return f"The session {event.child} could not be started: {clean_line(event.reason)}"
