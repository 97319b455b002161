"""Frames of a session's feed: one WebSocket, JSON text, `?after=SEQ` says what the client already has.

Order of an attach: pages of stored events after the number, the open drafts, the changes, `live`, then events and
deltas as they come. A client drops a delta whose offset it already has. Commands of the client go up the same socket.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from outrider.model.attachment import AttachmentRef
from outrider.model.base import Model
from outrider.model.changes import Changes
from outrider.model.engine import Speaker
from outrider.model.events import Recorded
from outrider.model.ids import MessageId, PromptId, TurnId
from outrider.model.person import Person
from outrider.model.prompt import PromptText

PAGE_EVENTS = 500
"""Most events in one frame or page: 500 a frame replayed 10,000 events six times faster than one a frame."""


FACES = 12
"""People who are told by name; more are a number."""

ClientKind = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]
"""What somebody looks with: `browser`, `terminal`…"""


class EventsFrame(Model):
    """Stored events in order."""

    kind: Literal["events"] = "events"
    events: tuple[Recorded, ...] = Field(max_length=PAGE_EVENTS)


class Draft(Model):
    """The part of an open message that is not stored yet: `text` begins at character `offset` of the message."""

    turn: TurnId
    message: MessageId
    speaker: Speaker
    offset: int
    text: str


class DraftsFrame(Model):
    """All open drafts at the moment of the attach."""

    kind: Literal["drafts"] = "drafts"
    drafts: tuple[Draft, ...]


class LiveFrame(Model):
    """The client has everything up to `seq`; what follows is live."""

    kind: Literal["live"] = "live"
    seq: int


class DeltaFrame(Model):
    """More text of an open message, at character `offset`; not stored. It stands after event `after_seq`."""

    kind: Literal["delta"] = "delta"
    turn: TurnId
    message: MessageId
    speaker: Speaker
    offset: int
    text: str
    after_seq: int


class ProgressFrame(Model):
    """How far long work is. Not stored. Who attaches gets the last one, unless something else has happened since."""

    kind: Literal["progress"] = "progress"
    stage: str
    text: str


class Watching(Model):
    """A person who is there. Several windows of one person are one."""

    person: Person
    guest: bool = False
    clients: tuple[ClientKind, ...] = Field(max_length=4, description="What they look with")
    typing: bool = False


class PresenceFrame(Model):
    """Who watches now: how many, how many of them type, and the first of them. Not stored; the last one is true."""

    kind: Literal["presence"] = "presence"
    people: tuple[Watching, ...] = Field(max_length=FACES)
    count: int
    typing: int


class ChangesFrame(Model):
    """The files that differ from the base commit now. Not stored: each attach tells what was told last, or None where
    nothing is known; then the files of the newest `work_collected` that no rewind has undone are what there is."""

    kind: Literal["changes"] = "changes"
    changes: Changes | None


class ResyncFrame(Model):
    """The client read too slowly and what it missed was dropped: attach again with `after`. The socket closes."""

    kind: Literal["resync"] = "resync"
    after: int


class AcceptedFrame(Model):
    """The client's command with this `ref` was carried out; `seq` is the number of its first event, 0 for none."""

    kind: Literal["accepted"] = "accepted"
    ref: str
    seq: int
    prompt: PromptId | None = None


class RefusedFrame(Model):
    """The client's command was not carried out."""

    kind: Literal["refused"] = "refused"
    ref: str
    sentence: str
    remedy: str = ""


ServerFrame = Annotated[
    EventsFrame
    | DraftsFrame
    | LiveFrame
    | DeltaFrame
    | ProgressFrame
    | PresenceFrame
    | ChangesFrame
    | ResyncFrame
    | AcceptedFrame
    | RefusedFrame,
    Field(discriminator="kind"),
]

LONGEST_REF = 64
Ref = Annotated[str, Field(max_length=LONGEST_REF)]
Files = Annotated[tuple[AttachmentRef, ...], Field(max_length=100, description="What was uploaded before")]
Key = Annotated[str | None, Field(max_length=100, description="The same key again is the same request")]


class PromptFrame(Model):
    """Queue a prompt."""

    kind: Literal["prompt"] = "prompt"
    ref: Ref
    text: PromptText
    attachments: Files = ()
    key: Key = None


class WithdrawFrame(Model):
    """Take a prompt out of the queue."""

    kind: Literal["withdraw"] = "withdraw"
    ref: Ref
    key: Key = None
    prompt: PromptId


class MoveFrame(Model):
    """Give a queued prompt another place; 0 is next."""

    kind: Literal["move"] = "move"
    ref: Ref
    key: Key = None
    prompt: PromptId
    position: int = Field(ge=0, le=10_000)


class EditFrame(Model):
    """Give a queued prompt another text; `revision` is the one that the person has seen."""

    kind: Literal["edit"] = "edit"
    ref: Ref
    key: Key = None
    prompt: PromptId
    revision: int = Field(ge=1)
    text: PromptText
    attachments: Files | None = None


class SteerFrame(Model):
    """Stop the running turn and run this queued prompt next."""

    kind: Literal["steer"] = "steer"
    ref: Ref
    key: Key = None
    prompt: PromptId


class StopFrame(Model):
    """Stop the running turn; with `children`, also those of the sessions that it started, and of theirs."""

    kind: Literal["stop"] = "stop"
    ref: Ref
    children: bool = False
    key: Key = None


class TypingFrame(Model):
    """A person is typing a prompt: the session may wake. Send it once in 20 seconds of typing at most."""

    kind: Literal["typing"] = "typing"
    ref: Ref


class HereFrame(Model):
    """What others see of this client: whether its person types. While they do, say it again every 5 seconds."""

    kind: Literal["here"] = "here"
    ref: Ref
    typing: bool = False


ClientFrame = Annotated[
    PromptFrame | WithdrawFrame | MoveFrame | EditFrame | SteerFrame | StopFrame | TypingFrame | HereFrame,
    Field(discriminator="kind"),
]

SERVER_FRAME: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)
CLIENT_FRAME: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)
