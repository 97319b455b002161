"""Full-text search over all sessions: what people asked and what the agent said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from outrider.model.ids import SessionId

PassageKind = Literal["title", "prompt", "message", "pull_request"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that can be found. A second one of the same session and `key` is added to the first."""

    key: str
    kind: PassageKind
    seq: int
    """The event that holds it, or its beginning."""
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class SnippetPart:
    """Some text round a find; `hit` where it is one of the words looked for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, best first."""

    session: SessionId
    kind: PassageKind
    seq: int
    at: datetime
    snippet: tuple[SnippetPart, ...]


class SearchIndex(Protocol):
    """A projection of the logs: it may be deleted and is then made anew."""

    async def reached(self) -> Mapping[SessionId, int]:
        """Up to which event each session is in here."""

    async def put(self, session: SessionId, passages: Sequence[Passage], seq: int) -> None:
        """Take in what the events up to `seq` say. What was taken in before is left as it is."""

    async def find(self, words: str, limit: int) -> Sequence[Hit]:
        """Passages that hold all the words, the last one also as a beginning. Nothing for no words."""
