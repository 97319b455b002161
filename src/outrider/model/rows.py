"""Events as a log keeps them: encoded once, for the log and for every client."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter

from outrider.model.events import RECORDED, Event, Recorded

Row = tuple[int, str, str, bytes]
"""Number, time (ISO 8601), type and body of one event; the body is the `Recorded` as JSON. A plain tuple, since that is
what a database takes."""

_TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def row(recorded: Recorded) -> Row:
    """The row of a recorded event."""
    return recorded.seq, recorded.at.isoformat(), recorded.event.type, RECORDED.dump_json(recorded)


def rows(first: int, at: datetime, events: Sequence[Event]) -> list[Row]:
    """The rows of events that happened at one time, numbered from `first`: to the byte those of `row`, at a fifth of
    the price. Nothing is validated here: an event was when it was made."""
    iso, stamp = at.isoformat(), _TIME.dump_json(at)
    return [
        (
            seq,
            iso,
            event.type,
            b'{"seq":%d,"at":%b,"event":%b}' % (seq, stamp, event.__pydantic_serializer__.to_json(event)),
        )
        for seq, event in enumerate(events, first)
    ]
