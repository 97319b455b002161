"""Commands: what is asked of a session, by people and by what comes back from the world. Internal, never stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from outrider.model.child_commands import Caps as Caps
from outrider.model.child_commands import PromptChild as PromptChild
from outrider.model.child_commands import SpawnChild as SpawnChild
from outrider.model.effects import Effect
from outrider.model.egress_commands import AllowHost as AllowHost
from outrider.model.egress_commands import ForbidHost as ForbidHost
from outrider.model.engine import (
    EngineSessionId,
    EngineStop,
    PermissionAsk,
    PlanUpdate,
    Speaker,
    ToolCallUpdate,
    Usage,
)
from outrider.model.events import Event, SnapshotTaken, WorkCollected
from outrider.model.ids import CommitId, MessageId, ProofId, SandboxId, TurnId
from outrider.model.membership import Role
from outrider.model.person import Person
from outrider.model.proof import Proof
from outrider.model.queue_commands import EditPrompt as EditPrompt
from outrider.model.queue_commands import MovePrompt as MovePrompt
from outrider.model.queue_commands import QueuePrompt as QueuePrompt
from outrider.model.queue_commands import SteerNow as SteerNow
from outrider.model.queue_commands import WithdrawPrompt as WithdrawPrompt
from outrider.model.repository import PullRequest, PullRequestState


@dataclass(frozen=True, slots=True)
class StopTurn:
    """A person wants the turn to stop; with `children`, theirs too, and those of the children."""

    by: Person
    children: bool = False


@dataclass(frozen=True, slots=True)
class Typing:
    """A person is typing a prompt: the sandbox may wake, and does not fall asleep under their hands."""

    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Archive:
    """A person puts the session away. With `stop` its turn is stopped first and what waits is taken back."""

    by: Person
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Unarchive:
    """A person takes the session out again, or does not want it archived after all."""

    by: Person


@dataclass(frozen=True, slots=True)
class Rename:
    """A person gives the session another title."""

    title: str
    by: Person


@dataclass(frozen=True, slots=True)
class Pin:
    """A person wants the session at the top of the list, or, with `pinned` false, no longer."""

    pinned: bool
    by: Person


@dataclass(frozen=True, slots=True)
class Join:
    """A person followed a link, whose maker may give this role. Comes from the door that has looked at the link."""

    person: Person
    role: Role
    by: Person
    guest: bool = False


@dataclass(frozen=True, slots=True)
class SetRole:
    """An owner gives a person a role; who was no member becomes one."""

    person: Person
    role: Role
    by: Person


@dataclass(frozen=True, slots=True)
class Leave:
    """A member goes, or an owner sends them away."""

    person: Person
    by: Person


@dataclass(frozen=True, slots=True)
class Wake:
    """The session was just read from its log: whatever ran when it was last written runs no more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A fact from an effect that only has to be stored (stages, sandbox ready, checks, pushes, problems…)."""

    event: Event


@dataclass(frozen=True, slots=True)
class EffectFailed:
    """An effect could not be carried out. `retry`: the same again may work, as after the death of an engine."""

    effect: Effect
    sentence: str
    remedy: str = ""
    retry: bool = False


@dataclass(frozen=True, slots=True)
class SandboxVanished:
    """The connection to the sandbox ended though nobody asked. `start` is which start of it."""

    sandbox: SandboxId
    start: int
    reason: str


@dataclass(frozen=True, slots=True)
class AttachEngine:
    """The engine has its session."""

    engine: str
    engine_session: EngineSessionId
    how: Literal["new", "resumed", "reseeded"]


@dataclass(frozen=True, slots=True)
class HandPrompt:
    """The effect is about to give the prompt to the engine."""

    turn: TurnId
    attempt: int
    round: int


@dataclass(frozen=True, slots=True)
class TellEngine:
    """The effect is about to tell the engine something in the middle of its round."""

    turn: TurnId
    text: str


@dataclass(frozen=True, slots=True)
class SealText:
    """A segment of the engine's text is to be stored."""

    turn: TurnId
    message: MessageId
    speaker: Speaker
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """The engine's tool call or plan changed."""

    turn: TurnId
    update: ToolCallUpdate | PlanUpdate


@dataclass(frozen=True, slots=True)
class DecidePermission:
    """Our policy answered the engine."""

    turn: TurnId
    ask: PermissionAsk
    allowed: bool


@dataclass(frozen=True, slots=True)
class RecordUsage:
    """The gateway saw an LLM call end. The same call id again is the same call."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class EngineTurnEnded:
    """The engine finished its round."""

    turn: TurnId
    round: int
    stop: EngineStop


@dataclass(frozen=True, slots=True)
class TurnStopped:
    """The stop ladder is done: nothing of the turn lives any more. `work` is what could be fetched after it."""

    turn: TurnId
    killed: int
    work: WorkCollected | None


@dataclass(frozen=True, slots=True)
class AskProof:
    """The engine wants the checks run on this head."""

    head: CommitId


@dataclass(frozen=True, slots=True)
class ProofEnded:
    """All runs of a proof are in."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class AskPullRequest:
    """The engine wants a pull request for this head."""

    head: CommitId
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Published:
    """The branch is pushed, and the pull request shows the proof, as far as it went: `problem` says what did not."""

    head: CommitId
    branch: str
    pull_request: PullRequest | None = None
    proof: ProofId | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ForgeChanged:
    """A pull request of this session changed on its forge."""

    number: int
    state: PullRequestState
    by: Person


@dataclass(frozen=True, slots=True)
class SnapshotMade:
    """What the sandbox had written is kept. One that is `asleep` is gone."""

    taken: SnapshotTaken
    asleep: SandboxId | None = None


@dataclass(frozen=True, slots=True)
class Rewind:
    """A person wants files, commits and the engine's memory as they were after a turn, named by id or number."""

    turn: str
    by: Person


PersonCommand = (
    Rewind
    | WithdrawPrompt
    | MovePrompt
    | EditPrompt
    | SteerNow
    | StopTurn
    | AllowHost
    | ForbidHost
    | Archive
    | Unarchive
    | Rename
    | Pin
    | SetRole
    | Leave
)


@dataclass(frozen=True, slots=True)
class Once:
    """What a person asks under a key of theirs. The same key again is the same request."""

    key: str
    command: PersonCommand


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time that the state waits for has come."""

    name: str


Command = (
    QueuePrompt
    | WithdrawPrompt
    | MovePrompt
    | EditPrompt
    | SteerNow
    | StopTurn
    | Typing
    | AllowHost
    | ForbidHost
    | Archive
    | Join
    | SetRole
    | Leave
    | Once
    | Unarchive
    | Rename
    | Pin
    | Wake
    | Report
    | EffectFailed
    | SandboxVanished
    | AttachEngine
    | HandPrompt
    | TellEngine
    | SealText
    | EngineChanged
    | DecidePermission
    | RecordUsage
    | EngineTurnEnded
    | TurnStopped
    | AskProof
    | ProofEnded
    | AskPullRequest
    | Published
    | ForgeChanged
    | SnapshotMade
    | Rewind
    | SpawnChild
    | PromptChild
    | TimerFired
)
