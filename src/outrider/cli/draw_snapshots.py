"""Events of snapshots as lines of the transcript. Part of `cli.draw`."""

from outrider.cli.clean import clean_line
from outrider.model import events as e

NOTES = (e.SnapshotTaken, e.SessionRewound, e.SessionForked)
WARNINGS = (e.SnapshotFailed, e.SnapshotNotStored)


def note(event: e.SnapshotTaken | e.SessionRewound | e.SessionForked) -> str:
    """One quiet line; empty where there is nothing to know."""
    match event:
        case e.SnapshotTaken(reason="turn", number=number):
            return f"Kept as turn {number}: it can be rewound to or forked from."
        case e.SnapshotTaken():
            return "The sandbox sleeps; its files are kept."
        case e.SessionRewound(number=number, by=by, branch=branch):
            return f"{clean_line(by.name)} rewound the session to turn {number}. Work goes to {branch}."
        case e.SessionForked(number=number, by=by, parent=parent):
            return f"{clean_line(by.name)} forked this session from turn {number} of {parent}."


def warning(event: e.SnapshotFailed | e.SnapshotNotStored) -> str:
    """What could not be kept; empty where it was said before."""
    if isinstance(event, e.SnapshotFailed):
        return f"The files of this turn could not be kept: {clean_line(event.reason)}"
    if event.again:
        return ""
    return f"The snapshot is on this machine only: {clean_line(event.reason)}"
