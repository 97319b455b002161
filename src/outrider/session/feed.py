"""The feed of a session: one hub, any number of clients, each frame encoded once.

A client is a mailbox with an end: who reads too slowly loses what waits for it and is told to attach again. Nobody
waits for anybody. Deltas are gathered for a moment, the first goes out at once; events never wait.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from outrider.model.changes import Changes
from outrider.model.engine import Speaker
from outrider.model.events import Event, MemberLeft, PromptQueued, SessionRewound, TextSealed, TurnEnded
from outrider.model.feed import (
    PAGE_EVENTS,
    SERVER_FRAME,
    ChangesFrame,
    DeltaFrame,
    DraftsFrame,
    LiveFrame,
    ProgressFrame,
    ResyncFrame,
    ServerFrame,
)
from outrider.model.ids import MessageId, TurnId
from outrider.model.membership import person_key
from outrider.model.person import Person
from outrider.model.rows import Row
from outrider.session.drafts import Drafts
from outrider.session.presence import Presence, Watcher

MAILBOX_BYTES = 4 << 20
MAILBOX_FRAMES = 2000
"""What may wait for one client. A browser that is busy for some seconds stays below; one that is gone does not."""


def events_frame(encoded: Sequence[bytes]) -> bytes:
    """A page of stored events, put together without parsing them."""
    return b'{"kind":"events","events":[' + b",".join(encoded) + b"]}"


def _encode(frame: ServerFrame) -> bytes:
    return SERVER_FRAME.dump_json(frame)


AtOnce = Callable[[bytes], bool]
"""Hands a frame to a client without waiting, and says whether it could. A task that is woken for each frame of each
client costs half as much again."""


class Mailbox:
    """What waits for one client. A frame for which nothing has to wait goes out at once."""

    def __init__(self, seq: int, longest: int, watcher: Watcher | None = None, at_once: AtOnce | None = None) -> None:
        self.watcher = watcher
        self._at_once = at_once
        self._idle = False
        """Whether whoever takes the frames waits for the next one."""
        self._longest = longest
        self._frames: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._seq = seq
        self._open = True
        self._wake = asyncio.Event()

    def put(self, frame: bytes, seq: int) -> None:
        """A frame after which the client has everything up to `seq`; beyond the bounds all is dropped."""
        if not self._open:
            return
        if self._idle and self._at_once and self._at_once(frame):
            self._seq = seq
            return
        self._idle = False
        self._frames.append((seq, frame))
        self._bytes += len(frame)
        if self._bytes > MAILBOX_BYTES or len(self._frames) > self._longest:
            self._frames.clear()
            self._frames.append((self._seq, _encode(ResyncFrame(after=self._seq))))
            self.close()
        self._wake.set()

    def close(self) -> None:
        """Nothing more comes; what waits is still delivered."""
        self._open = False
        self._wake.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """The frames as they come, until the mailbox is closed and empty."""
        while True:
            while self._frames:
                self._seq, frame = self._frames.popleft()
                self._bytes -= len(frame)
                yield frame
            if not self._open:
                return
            self._wake.clear()
            self._idle = True
            await self._wake.wait()
            self._idle = False


class Hub:
    """Fans out what happens in one session. It needs no open log: clients of a sleeping session stay attached."""

    def __init__(self, window_seconds: float, mailbox_frames: int = MAILBOX_FRAMES) -> None:
        self.drafts = Drafts()
        self.changes: Changes | None = None
        """The files that have changed, as it was told last."""
        self._mailbox_frames = mailbox_frames
        self._window = window_seconds
        self._mailboxes: set[Mailbox] = set()
        self._gathered: dict[MessageId, DeltaFrame] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._seq = 0
        self._progress: bytes | None = None
        """How far long work was said to be, until something else happens: whoever comes meanwhile is told too."""
        self.presence = Presence(lambda frame: self._send(frame, self._seq))

    @property
    def watched(self) -> bool:
        """Whether any client is attached."""
        return bool(self._mailboxes)

    @property
    def watchers(self) -> int:
        """How many clients are attached."""
        return len(self._mailboxes)

    def attach(
        self, page: Sequence[bytes], seq: int, watcher: Watcher | None = None, at_once: AtOnce | None = None
    ) -> Mailbox:
        """A mailbox for a client that gets this last page of stored events, the drafts, the changes, `live`, what is
        waited for, then what comes.

        Between the read of the page and this call nothing may be awaited, else an event could be missed.
        """
        mailbox = Mailbox(seq, self._mailbox_frames, watcher, at_once)
        if page:
            mailbox.put(events_frame(page), seq)
        mailbox.put(_encode(DraftsFrame(drafts=self.drafts.shown())), seq)
        mailbox.put(_encode(ChangesFrame(changes=self.changes)), seq)
        mailbox.put(_encode(LiveFrame(seq=seq)), seq)
        if self._progress:
            mailbox.put(self._progress, seq)
        self._mailboxes.add(mailbox)
        self._seq = max(self._seq, seq)
        if watcher:
            watcher.presence = self.presence
            self.presence.arrive(watcher)
        return mailbox

    def detach(self, mailbox: Mailbox) -> None:
        """The client is gone."""
        self._mailboxes.discard(mailbox)
        if mailbox.watcher:
            self.presence.leave(mailbox.watcher)

    def publish(self, events: Sequence[Event], rows: Sequence[Row]) -> None:
        """Events that were committed."""
        self._send_deltas()
        self._seq = rows[-1][0]
        self._hear(events)
        for start in range(0, len(rows), PAGE_EVENTS) if self._mailboxes else ():
            page = rows[start : start + PAGE_EVENTS]
            self._send(events_frame([body for *_, body in page]), page[-1][0])
        for event in events:
            if type(event) is MemberLeft:
                self._part_with(event.person)

    def _hear(self, events: Sequence[Event]) -> None:
        """What is shown beside the events ends with some of them."""
        for event in events:
            if type(event) is not PromptQueued:
                self._progress = None
            if type(event) is TextSealed:
                self.drafts.sealed(event)
            elif type(event) is TurnEnded:
                self.drafts.end(event.turn)
            elif type(event) is SessionRewound:
                self.changed(None)

    def say(self, turn: TurnId, message: MessageId, speaker: Speaker, text: str, now: float) -> None:
        """More text of an open message."""
        offset = self.drafts.add(turn, message, speaker, text, now)
        if not self._mailboxes:
            return
        begun = self._gathered.get(message)
        self._gathered[message] = (
            begun.model_copy(update={"text": begun.text + text})
            if begun
            else DeltaFrame(turn=turn, message=message, speaker=speaker, offset=offset, text=text, after_seq=self._seq)
        )
        if self._timer is None:
            self._window_over()

    def changed(self, changes: Changes | None) -> None:
        """These files differ from the base commit now."""
        if changes != self.changes:
            self.changes = changes
            self._send(_encode(ChangesFrame(changes=changes)), self._seq)

    def progress(self, stage: str, text: str) -> None:
        """How far long work is."""
        self._progress = _encode(ProgressFrame(stage=stage, text=text))
        self._send(self._progress, self._seq)

    def close(self) -> None:
        """The server ends: clients get what waits for them, then the end."""
        self._send_deltas()
        self.presence.close()
        if self._timer:
            self._timer.cancel()
        for mailbox in self._mailboxes:
            mailbox.close()

    def _part_with(self, person: Person) -> None:
        """Who is no member any more has to attach again, where their rights are looked at."""
        for mailbox in self._mailboxes:
            if mailbox.watcher and person_key(mailbox.watcher.person.email) == person_key(person.email):
                mailbox.close()

    def _window_over(self) -> None:
        """Send what was gathered, and gather again; a window in which nothing was said is the last."""
        self._timer = None
        if self._gathered:
            self._send_deltas()
            self._timer = asyncio.get_running_loop().call_later(self._window, self._window_over)

    def _send_deltas(self) -> None:
        for delta in self._gathered.values():
            self._send(_encode(delta), self._seq)
        self._gathered.clear()

    def _send(self, frame: bytes, seq: int) -> None:
        for mailbox in self._mailboxes:
            mailbox.put(frame, seq)
