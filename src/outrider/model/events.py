"""Events: what happened in a session. Stored, numbered without gaps, in the past tense, never changed."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from outrider.model.base import Model, Sentence
from outrider.model.children import ChildEvent, Parentage
from outrider.model.egress import EgressRefused as EgressRefused
from outrider.model.egress import HostAllowed as HostAllowed
from outrider.model.egress import HostForbidden as HostForbidden
from outrider.model.engine import (
    EngineSessionId,
    EngineStop,
    ModelRef,
    PermissionAsk,
    PlanEntry,
    Speaker,
    ToolCallUpdate,
    Usage,
)
from outrider.model.history_events import ArchiveRequested as ArchiveRequested
from outrider.model.history_events import LogSalvaged as LogSalvaged
from outrider.model.history_events import SessionArchived as SessionArchived
from outrider.model.history_events import SessionPinned as SessionPinned
from outrider.model.history_events import SessionRenamed as SessionRenamed
from outrider.model.history_events import SessionUnarchived as SessionUnarchived
from outrider.model.ids import MessageId, PromptId, ProofId, SessionId, TurnId
from outrider.model.member_events import MemberJoined as MemberJoined
from outrider.model.member_events import MemberLeft as MemberLeft
from outrider.model.member_events import RoleChanged as RoleChanged
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.model.proof import CheckName, CheckResult, Phase, Proof
from outrider.model.publish_events import BranchPushed as BranchPushed
from outrider.model.publish_events import EvidenceAttached as EvidenceAttached
from outrider.model.publish_events import PublishFailed as PublishFailed
from outrider.model.publish_events import PublishRequested as PublishRequested
from outrider.model.publish_events import PullRequestChanged as PullRequestChanged
from outrider.model.publish_events import PullRequestOpened as PullRequestOpened
from outrider.model.queue_events import KeyUsed as KeyUsed
from outrider.model.queue_events import PromptEdited as PromptEdited
from outrider.model.queue_events import TranscriptNearlyFull as TranscriptNearlyFull
from outrider.model.queue_events import TurnAdmitted as TurnAdmitted
from outrider.model.queue_events import TurnHeld as TurnHeld
from outrider.model.repository import (
    BranchName,
    Commit,
    CommitHash,
    FileChange,
    Repository,
)
from outrider.model.sandbox_events import SandboxLost as SandboxLost
from outrider.model.sandbox_events import SandboxReady as SandboxReady
from outrider.model.sandbox_events import SandboxRequested as SandboxRequested
from outrider.model.sandbox_events import SandboxStopped as SandboxStopped
from outrider.model.sandbox_events import StartPath as StartPath
from outrider.model.sandbox_events import StopFailed as StopFailed
from outrider.model.sandbox_events import SyncFailed as SyncFailed
from outrider.model.sandbox_events import SyncFinished as SyncFinished
from outrider.model.sandbox_events import TypingNoticed as TypingNoticed
from outrider.model.services import PreviewsNamed as PreviewsNamed
from outrider.model.services import ServiceChanged as ServiceChanged
from outrider.model.snapshot_events import SessionForked as SessionForked
from outrider.model.snapshot_events import SessionRewound as SessionRewound
from outrider.model.snapshot_events import SnapshotFailed as SnapshotFailed
from outrider.model.snapshot_events import SnapshotNotStored as SnapshotNotStored
from outrider.model.snapshot_events import SnapshotStored as SnapshotStored
from outrider.model.snapshot_events import SnapshotTaken as SnapshotTaken
from outrider.model.tool_events import ToolLogKept as ToolLogKept
from outrider.model.turn import FILES_NAMED
from outrider.model.turn import KeptWork as KeptWork
from outrider.model.turn import TurnEndReason as TurnEndReason


class SessionCreated(Model):
    """The session began, at this commit of this repository."""

    type: Literal["session_created"] = "session_created"
    session: SessionId
    title: str = Field(max_length=200)
    created_by: Author
    repository: Repository
    base_branch: BranchName
    base_commit: CommitHash
    model: ModelRef
    parent: Parentage | None = None


class PromptQueued(Model):
    """A prompt waits for its turn."""

    type: Literal["prompt_queued"] = "prompt_queued"
    prompt: Prompt
    position: int | None = Field(default=None, ge=0, description="Its place, where it goes before others; 0 is next")


class PromptWithdrawn(Model):
    """A prompt left the queue before its turn."""

    type: Literal["prompt_withdrawn"] = "prompt_withdrawn"
    prompt: PromptId
    by: Person


class PromptMoved(Model):
    """A prompt has another place in the queue; 0 is next."""

    type: Literal["prompt_moved"] = "prompt_moved"
    prompt: PromptId
    position: int = Field(ge=0)
    by: Person


class StageReported(Model):
    """Long work reached a point worth telling: building an image, cloning, setting up, starting the engine."""

    type: Literal["stage_reported"] = "stage_reported"
    stage: str = Field(max_length=40, pattern=r"^[a-z][a-z-]*$")
    text: Sentence
    seconds: float | None = Field(default=None, description="Set when the stage is done")
    failed: bool = False


class TurnStarted(Model):
    """A turn began to answer a prompt."""

    type: Literal["turn_started"] = "turn_started"
    turn: TurnId
    prompt: PromptId


class EngineAttached(Model):
    """The engine runs and has its session."""

    type: Literal["engine_attached"] = "engine_attached"
    engine: str
    engine_session: EngineSessionId
    how: Literal["new", "resumed", "reseeded"]


class PromptHanded(Model):
    """The prompt is about to be given to the engine: from here on it may have been seen."""

    type: Literal["prompt_handed"] = "prompt_handed"
    turn: TurnId
    attempt: int = Field(ge=1)
    round: int = Field(ge=1, description="1 is the person's prompt, more are checks that came back red")


class EngineTold(Model):
    """The engine was told this in the middle of its round: that the files it had read have moved."""

    type: Literal["engine_told"] = "engine_told"
    turn: TurnId
    text: Sentence


class TextSealed(Model):
    """A stored segment of text. Segments of one message are joined by `offset` (characters)."""

    type: Literal["text_sealed"] = "text_sealed"
    turn: TurnId
    message: MessageId
    speaker: Speaker
    offset: int = Field(ge=0)
    text: str = Field(max_length=65_536)


class ToolCallChanged(Model):
    """A tool call began or changed."""

    type: Literal["tool_call_changed"] = "tool_call_changed"
    turn: TurnId
    update: ToolCallUpdate


class PlanChanged(Model):
    """The agent's plan is now this."""

    type: Literal["plan_changed"] = "plan_changed"
    turn: TurnId
    entries: tuple[PlanEntry, ...]


class PermissionDecided(Model):
    """The engine asked whether it may run a tool and was answered by our policy."""

    type: Literal["permission_decided"] = "permission_decided"
    turn: TurnId
    ask: PermissionAsk
    allowed: bool


class UsageRecorded(Model):
    """One LLM call was made and paid for."""

    type: Literal["usage_recorded"] = "usage_recorded"
    turn: TurnId | None
    usage: Usage


class StopRequested(Model):
    """Somebody asked that the turn stop."""

    type: Literal["stop_requested"] = "stop_requested"
    turn: TurnId
    by: Person


class EngineFinished(Model):
    """The engine says that it is done with this round."""

    type: Literal["engine_finished"] = "engine_finished"
    turn: TurnId
    round: int
    stop: EngineStop


class WorkCollected(Model):
    """The commits of the workspace were fetched into our quarantine and checked."""

    type: Literal["work_collected"] = "work_collected"
    head: CommitHash
    commits: tuple[Commit, ...] = Field(max_length=500)
    files: tuple[FileChange, ...] = Field(max_length=2000)
    leftovers_committed: bool = False
    uncommitted: int = Field(default=0, ge=0, description="Files of the workspace that are not committed, as it says")
    uncommitted_files: tuple[str, ...] = Field(default=(), max_length=FILES_NAMED, description="Some of them by name")


class ProofRequested(Model):
    """The checks are to run on this head."""

    type: Literal["proof_requested"] = "proof_requested"
    proof: ProofId
    head: CommitHash
    asked_by: Literal["engine", "turn_end"]


class CheckStarted(Model):
    """A check runs now."""

    type: Literal["check_started"] = "check_started"
    proof: ProofId
    phase: Phase
    name: CheckName
    command: str


class CheckFinished(Model):
    """A check ran to its end, or could not."""

    type: Literal["check_finished"] = "check_finished"
    proof: ProofId
    result: CheckResult


class ProofFinished(Model):
    """All runs are in, and this is what they show."""

    type: Literal["proof_finished"] = "proof_finished"
    proof: Proof


class EngineReprompted(Model):
    """The checks were red, and the engine was told so within the same turn."""

    type: Literal["engine_reprompted"] = "engine_reprompted"
    turn: TurnId
    round: int = Field(ge=2)
    text: str = Field(max_length=65_536)


class TurnInterrupted(Model):
    """The turn was cut off by something that nobody asked for; it goes on by itself as the next attempt."""

    type: Literal["turn_interrupted"] = "turn_interrupted"
    turn: TurnId
    attempt: int = Field(ge=1, description="The attempt that was cut off")
    reason: Sentence
    final: bool = Field(default=False, description="True: it is not tried again, only what is there is kept")


class TurnEnded(Model):
    """The turn is over; `message` is the sentence for every surface that it came from."""

    type: Literal["turn_ended"] = "turn_ended"
    turn: TurnId
    reason: TurnEndReason
    message: Sentence
    kept: KeptWork | None = Field(default=None, description="Set where it did not end well and the workspace was read")


class ProblemReported(Model):
    """Something went wrong that a person should know."""

    type: Literal["problem_reported"] = "problem_reported"
    sentence: Sentence
    remedy: Sentence = ""


Event = Annotated[
    SessionCreated
    | PromptQueued
    | PromptWithdrawn
    | PromptMoved
    | PromptEdited
    | KeyUsed
    | TurnHeld
    | TurnAdmitted
    | TranscriptNearlyFull
    | SandboxRequested
    | SandboxReady
    | SyncFinished
    | SyncFailed
    | TypingNoticed
    | SandboxLost
    | SandboxStopped
    | SnapshotTaken
    | SnapshotFailed
    | SnapshotStored
    | SnapshotNotStored
    | SessionRewound
    | SessionForked
    | StageReported
    | ServiceChanged
    | PreviewsNamed
    | TurnStarted
    | EngineAttached
    | PromptHanded
    | EngineTold
    | TextSealed
    | ToolCallChanged
    | PlanChanged
    | ToolLogKept
    | PermissionDecided
    | UsageRecorded
    | StopRequested
    | StopFailed
    | EngineFinished
    | WorkCollected
    | ProofRequested
    | CheckStarted
    | CheckFinished
    | ProofFinished
    | EngineReprompted
    | PublishRequested
    | BranchPushed
    | PullRequestOpened
    | PublishFailed
    | EvidenceAttached
    | PullRequestChanged
    | TurnInterrupted
    | TurnEnded
    | ProblemReported
    | EgressRefused
    | HostAllowed
    | HostForbidden
    | MemberJoined
    | RoleChanged
    | MemberLeft
    | SessionRenamed
    | SessionPinned
    | LogSalvaged
    | ArchiveRequested
    | SessionArchived
    | SessionUnarchived
    | ChildEvent,
    Field(discriminator="type"),
]


class Recorded(Model):
    """An event as stored and as sent: its number, from 1, and when."""

    seq: int = Field(ge=1)
    at: AwareDatetime
    event: Event


EVENT: TypeAdapter[Event] = TypeAdapter(Event)
RECORDED: TypeAdapter[Recorded] = TypeAdapter(Recorded)
