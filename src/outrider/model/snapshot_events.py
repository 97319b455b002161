"""Events of a session's snapshots: what is kept of its sandbox, and what is done with it. Part of `model.events`."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from outrider.model.base import Model, Sentence
from outrider.model.engine import EngineSessionId
from outrider.model.ids import LayerId, SessionId, TurnId
from outrider.model.person import Person
from outrider.model.repository import BranchName, CommitHash

MOST_LAYERS = 64


class SnapshotTaken(Model):
    """All that the sandbox had written when this turn was over is kept as `layer`, on top of `layers`."""

    type: Literal["snapshot_taken"] = "snapshot_taken"
    turn: TurnId
    number: int = Field(ge=0, description="Which turn of the session it was, from 1")
    layer: LayerId
    layers: tuple[LayerId, ...] = Field(max_length=MOST_LAYERS, description="Below it, bottom first")
    toolbox: LayerId | None = None
    commit: CommitHash = Field(description="The newest commit that was collected by then")
    reason: Literal["turn", "sleep"] = Field(description="sleep: the sandbox is gone, this is all there is of it")
    seconds: float = Field(ge=0)
    keep: int = Field(ge=1, description="How many snapshots of the session are kept; older ones may be deleted")


class SnapshotFailed(Model):
    """The files as they were after this turn could not be kept. The sandbox has them, and goes on."""

    type: Literal["snapshot_failed"] = "snapshot_failed"
    turn: TurnId
    reason: Sentence


class SnapshotStored(Model):
    """The snapshot, and what it stands on, is in the blob store: it outlives the folder of the sandboxes."""

    type: Literal["snapshot_stored"] = "snapshot_stored"
    layer: LayerId
    bytes: int = Field(ge=0, description="Compressed, without what was there already")
    seconds: float = Field(ge=0)


class SnapshotNotStored(Model):
    """The snapshot could not be brought to the blob store. It is on this machine only."""

    type: Literal["snapshot_not_stored"] = "snapshot_not_stored"
    layer: LayerId
    reason: Sentence
    retry_at: datetime | None = Field(default=None, description="When it is tried again; without it, never")
    again: bool = Field(default=False, description="Whether it was tried and said before: nothing new for people")


class SessionRewound(Model):
    """Files, commits and the engine's memory are again as they were after this turn. What came later is kept."""

    type: Literal["session_rewound"] = "session_rewound"
    turn: TurnId
    number: int = Field(ge=0)
    by: Person
    branch: BranchName = Field(description="Where work is pushed from now on: another where something was pushed")


class SessionForked(Model):
    """The session goes on from another one's files, commits and engine memory, as they were after this turn of it."""

    type: Literal["session_forked"] = "session_forked"
    parent: SessionId
    turn: TurnId
    number: int = Field(ge=0)
    by: Person
    layer: LayerId
    layers: tuple[LayerId, ...] = Field(max_length=MOST_LAYERS)
    toolbox: LayerId | None = None
    commit: CommitHash
    engine_session: EngineSessionId | None = None
