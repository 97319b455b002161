"""Has what is said in sessions found again: reads logs behind their commits and hands passages to the search index."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence

from outrider.model import events as e
from outrider.model.engine import Speaker
from outrider.model.errors import OutriderError
from outrider.model.events import RECORDED, Recorded
from outrider.model.ids import SessionId
from outrider.ports.clock import Clock
from outrider.ports.search import Passage, SearchIndex
from outrider.session.pacing import rest_seconds

READ_AT_ONCE = 500

NOTED_EVERY = 500
"""How far a session was read is noted with what is found, else once in so many events: after a restart no more than
these are read again."""

_SAYS = re.compile(
    rb'.{,90}"event":\{"type":"(?:session_created|session_renamed|prompt_queued|text_sealed|pull_request_opened)"'
)
"""An encoded event that may hold something to find: most of a working session's events do not."""

BEHIND_SECONDS = 0.5
"""What is said is found so long after it was stored: whoever prompts does not wait for the processor that it takes."""

ReadEvents = Callable[[SessionId, int, int], Awaitable[list[bytes]]]
"""Session, after, limit: stored events, encoded."""

logger = logging.getLogger(__name__)


class Indexing:
    """One task that is always behind and never in the way."""

    def __init__(
        self, search: SearchIndex, clock: Clock, read: ReadEvents, ids: Callable[[], Sequence[SessionId]]
    ) -> None:
        self._search = search
        self._clock = clock
        self._read = read
        self._ids = ids
        self._reached: dict[SessionId, int] = {}
        self._changed: dict[SessionId, None] = {}
        self._arrived = asyncio.Event()

    def touch(self, session: SessionId) -> None:
        """The session has new events."""
        self._changed[session] = None
        self._arrived.set()

    async def run(self) -> None:
        """Take in what is missing, then what comes, until cancelled."""
        self._reached = dict(await self._search.reached())
        for session in self._ids():
            self.touch(session)
        while True:
            began = self._clock.monotonic()
            await self.catch_up()
            took = self._clock.monotonic() - began
            await self._arrived.wait()
            await self._clock.sleep(rest_seconds(BEHIND_SECONDS, took))

    async def catch_up(self) -> None:
        """Take in all that is there now; what comes meanwhile is for the next round. What cannot be read is said, and
        harms no other."""
        self._arrived.clear()
        changed, self._changed = self._changed, {}
        for session in changed:
            try:
                await self._take_in(session)
            except OutriderError as error:
                logger.error("session %s cannot be searched: %s", session, error)

    async def _take_in(self, session: SessionId) -> None:
        while page := await self._read(session, after := self._reached.get(session, 0), READ_AT_ONCE):
            said = [body for body in page if _SAYS.match(body)]
            reached = after + len(page)
            if said or reached // NOTED_EVERY > after // NOTED_EVERY:
                await self._search.put(session, await asyncio.to_thread(_passages, said) if said else [], reached)
            self._reached[session] = reached
            if len(page) < READ_AT_ONCE:
                return


def _passages(bodies: Sequence[bytes]) -> list[Passage]:
    return list(passages([RECORDED.validate_json(body) for body in bodies]))


def passages(records: Sequence[Recorded]) -> Iterator[Passage]:
    """What can be found of these events: titles, prompts, the agent's prose, pull requests. Never tool output: that is
    the repository's, and there is a great deal of it."""
    for recorded in records:
        match recorded.event:
            case e.SessionCreated(title=title):
                yield Passage("title", "title", recorded.seq, recorded.at, title)
            case e.SessionRenamed(title=title):
                yield Passage(f"title-{recorded.seq}", "title", recorded.seq, recorded.at, title)
            case e.PromptQueued(prompt=prompt):
                yield Passage(prompt.id, "prompt", recorded.seq, recorded.at, prompt.text)
            case e.TextSealed(speaker=Speaker.AGENT, message=message, text=text):
                yield Passage(message, "message", recorded.seq, recorded.at, text)
            case e.PullRequestOpened(pull_request=opened):
                text = f"{opened.title}\n{opened.body}"
                yield Passage(f"pull-{opened.head_commit}", "pull_request", recorded.seq, recorded.at, text)
