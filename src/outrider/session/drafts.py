"""Drafts: text that is still being said. Fanned out at once, stored in segments, never held for longer than a moment.

The open text of a message is sealed into a stored segment every 4 kB or 2 s, and when its round ends: a kill loses at
most that. A draft lives until its segment is committed, so that whoever attaches in between sees no gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from outrider.model.commands import SealText
from outrider.model.engine import Speaker
from outrider.model.events import TextSealed
from outrider.model.feed import Draft
from outrider.model.ids import MessageId, TurnId

SEAL_CHARACTERS = 4096
SEAL_SECONDS = 2.0
MOST_SEALED = 65_536
"""Longest text of one segment, as `TextSealed` has it."""


@dataclass(slots=True)
class _Open:
    turn: TurnId
    message: MessageId
    speaker: Speaker
    offset: int = 0
    """Where `text` begins in the message."""
    text: str = ""
    asked: int = 0
    """How much of `text` is on its way to being stored."""
    since: float = 0.0
    """When the part that nobody asked to store began."""


class Drafts:
    """The open messages of one session."""

    def __init__(self) -> None:
        self._open: dict[MessageId, _Open] = {}

    def add(self, turn: TurnId, message: MessageId, speaker: Speaker, text: str, now: float) -> int:
        """More text of a message. Returns its offset."""
        draft = self._open.setdefault(message, _Open(turn, message, speaker))
        if draft.asked == len(draft.text):
            draft.since = now
        offset = draft.offset + len(draft.text)
        draft.text += text
        return offset

    def due(self, now: float) -> list[SealText]:
        """Segments that are long or old enough to be stored."""
        return [
            part
            for draft in self._open.values()
            if len(draft.text) - draft.asked >= SEAL_CHARACTERS or now - draft.since >= SEAL_SECONDS
            for part in self._seal(draft)
        ]

    def seal(self, keep: MessageId | None = None) -> list[SealText]:
        """Segments of everything that is open, but of the message `keep`."""
        return [part for draft in self._open.values() if draft.message != keep for part in self._seal(draft)]

    def sealed(self, event: TextSealed) -> None:
        """A segment is stored."""
        draft = self._open.get(event.message)
        if draft is None or draft.offset != event.offset:
            return
        length = len(event.text)
        draft.offset, draft.text, draft.asked = draft.offset + length, draft.text[length:], draft.asked - length

    def end(self, turn: TurnId) -> None:
        """The turn is over; its messages are complete."""
        self._open = {key: draft for key, draft in self._open.items() if draft.turn != turn}

    def shown(self) -> tuple[Draft, ...]:
        """What is said and not stored yet."""
        return tuple(
            Draft(turn=d.turn, message=d.message, speaker=d.speaker, offset=d.offset, text=d.text)
            for d in self._open.values()
            if d.text
        )

    def _seal(self, draft: _Open) -> Iterator[SealText]:
        while part := draft.text[draft.asked : draft.asked + MOST_SEALED]:
            yield SealText(draft.turn, draft.message, draft.speaker, draft.offset + draft.asked, part)
            draft.asked += len(part)
