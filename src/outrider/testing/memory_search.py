"""A search index in memory. It passes the same contract suite as the real one."""

import asyncio
from collections.abc import Mapping, Sequence

from outrider.model.ids import SessionId
from outrider.ports.search import Hit, Passage, SnippetPart


class MemorySearch:
    """Implements `outrider.ports.search.SearchIndex` by looking at every word."""

    def __init__(self) -> None:
        self._passages: dict[tuple[SessionId, str], Passage] = {}
        self._reached: dict[SessionId, int] = {}
        self._changed = asyncio.Condition()

    async def reached(self) -> Mapping[SessionId, int]:
        """Up to which event each session is in here."""
        return dict(self._reached)

    async def put(self, session: SessionId, passages: Sequence[Passage], seq: int) -> None:
        """Take in what the events up to `seq` say."""
        before = self._reached.get(session, 0)
        for new in passages:
            if new.seq > before:
                old = self._passages.get((session, new.key))
                whole = Passage(old.key, old.kind, old.seq, old.at, old.text + new.text) if old else new
                self._passages[session, new.key] = whole
        self._reached[session] = max(seq, before)
        async with self._changed:
            self._changed.notify_all()

    async def until_reached(self, session: SessionId, seq: int) -> None:
        """Wait until the session is in here up to that event."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._reached.get(session, 0) >= seq)

    async def find(self, words: str, limit: int) -> Sequence[Hit]:
        """Passages that hold all the words."""
        wanted = [word for word in words.lower().replace('"', " ").split() if any(map(str.isalnum, word))]
        found = [
            Hit(session, passage.kind, passage.seq, passage.at, (SnippetPart(passage.text, hit=True),))
            for (session, _), passage in self._passages.items()
            if wanted and _holds(passage.text.lower().split(), wanted)
        ]
        return found[:limit]


def _holds(text: Sequence[str], wanted: Sequence[str]) -> bool:
    stripped = [word.strip(".,:;!?()") for word in text]
    return all(word in stripped for word in wanted[:-1]) and any(word.startswith(wanted[-1]) for word in stripped)
