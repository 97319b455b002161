"""How a session begins again whose log was damaged: with what could be read, and at rest."""

from datetime import datetime

from outrider.model import events as e
from outrider.ports.store import Rescue
from outrider.session import wording
from outrider.session.state import State

MESSAGE = (
    "The session's log was damaged, and what came later in this turn cannot be read. Nothing goes on by itself: look "
    "at the workspace and prompt again."
)


def salvaged(state: State, rescue: Rescue, reason: str, now: datetime) -> list[e.Recorded]:
    """The next events of a log that was salvaged: a turn that the readable part leaves open is over."""
    events: list[e.Event] = []
    if state.turn is not None:
        events.append(e.TurnEnded(turn=state.turn.id, reason=e.TurnEndReason.FAILED, message=MESSAGE))
    place = str(rescue.place)
    events.append(e.LogSalvaged(kept=rescue.kept, place=place, reason=wording.sentence(reason)))
    return [e.Recorded(seq=state.seq + n, at=now, event=event) for n, event in enumerate(events, start=1)]
