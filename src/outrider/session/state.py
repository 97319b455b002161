"""The state of a session: what its log says, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum

from outrider.model import events as e
from outrider.model.attachment import Attachment
from outrider.model.engine import EngineSessionId, Usage
from outrider.model.ids import AttachmentId, CommitId, LayerId, PromptId, ProofId, SandboxId, SessionId, TurnId
from outrider.model.membership import House, Member
from outrider.model.person import Person
from outrider.model.prompt import Prompt
from outrider.model.proof import Proof
from outrider.model.repository import PullRequest
from outrider.model.sandbox import SandboxHandle
from outrider.model.services import PreviewSpec, ServiceChanged
from outrider.session.family_state import Child
from outrider.session.kept import Kept


class SandboxPhase(StrEnum):
    """Where the sandbox is."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The session's one sandbox. `start` counts how often it was requested."""

    id: SandboxId
    start: int
    phase: SandboxPhase
    handle: SandboxHandle | None = None
    layers: tuple[LayerId, ...] = ()
    """What it was made from, bottom first, and its toolbox."""
    toolbox: LayerId | None = None
    restored: bool = False
    """Whether its files are those of a snapshot, which may be older than what was collected since."""
    discard: bool = False
    """Whether what it holds is not to be worked on any more: the session was rewound."""

    @property
    def alive(self) -> bool:
        """Whether it runs or is about to."""
        return self.phase in (SandboxPhase.STARTING, SandboxPhase.READY)


@dataclass(frozen=True, slots=True)
class Sync:
    """How the workspace comes to the session's commit."""

    done: bool = False
    failed: bool = False
    """Not tried again until a turn begins."""
    attempt: int = 1
    untold: e.SyncFinished | None = None
    """The one that moved files which an engine may have read, until the engine is told."""


class TurnPhase(StrEnum):
    """Where a turn is: the engine works; it is being stopped; its commits are fetched; proof and publishing."""

    ENGINE = "engine"
    STOPPING = "stopping"
    COLLECTING = "collecting"
    SETTLING = "settling"


@dataclass(frozen=True, slots=True)
class Turn:
    """The running turn."""

    id: TurnId
    prompt: Prompt
    head_before: CommitId
    phase: TurnPhase = TurnPhase.ENGINE
    attempt: int = 1
    round: int = 1
    handed: bool = False
    """Whether an engine may be at it right now."""
    begun: bool = False
    """Whether an engine ever was."""
    stopped_by: str = ""
    stop_failed: str = ""
    """Why it could not be ended in its sandbox, which is stopped for that."""
    failure: str = ""
    """Why it will not end well; what is there is still collected and pushed."""
    publish_failed: bool = False
    proofs_asked: int = 0
    instruction: str = ""
    """What the engine is told in rounds after the first."""
    reprompted_for: CommitId | None = None
    interruption: str = ""
    """Why the last attempt was cut off."""
    held: e.TurnHeld | None = None
    """Why it may not begin yet."""

    @property
    def well(self) -> bool:
        """Whether nobody stopped it and nothing failed."""
        return not self.stopped_by and not self.failure


KeyOf = tuple[str, str]
"""A person's email, and a key of theirs."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked under a key: its digest, its first event, and the prompt that it queued."""

    digest: str
    seq: int
    prompt: PromptId | None = None


@dataclass(frozen=True, slots=True)
class Publishing:
    """A push on its way, with the proof that was there when it was asked for."""

    request: e.PublishRequested
    proof: ProofId | None


@dataclass(frozen=True, slots=True)
class Spending:
    """LLM calls of the session, summed. Calls whose price is not known are counted, never taken as free."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_calls: int = 0

    def plus(self, usage: Usage) -> "Spending":
        """With one more call."""
        return Spending(
            calls=self.calls + 1,
            input_tokens=self.input_tokens + usage.input_tokens,
            output_tokens=self.output_tokens + usage.output_tokens,
            cache_read_tokens=self.cache_read_tokens + usage.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + usage.cache_write_tokens,
            cost_usd=self.cost_usd + (usage.cost_usd or 0.0),
            unpriced_calls=self.unpriced_calls + (usage.cost_usd is None),
        )

    def and_also(self, other: "Spending") -> "Spending":
        """With what another session used."""
        return Spending(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})


@dataclass(frozen=True, slots=True)
class State:
    """A session as of event `seq`."""

    seq: int
    at: datetime
    created_at: datetime
    created: e.SessionCreated
    archived: bool = False
    archiving: Person | None = None
    """Who wants it archived as soon as nothing runs and its files are kept."""
    renamed: str = ""
    """The title that somebody gave it."""
    pinned: bool = False
    queue: tuple[Prompt, ...] = ()
    attachments: Mapping[AttachmentId, Attachment] = field(default_factory=dict)
    """Every file that a prompt has ever named."""
    nearly_full: bool = False
    """Whether it was said that the transcript gets too long."""
    keys: Mapping[KeyOf, Answered] = field(default_factory=dict)
    sandbox: Sandbox | None = None
    services: Mapping[str, ServiceChanged] = field(default_factory=dict)
    """The services of the sandbox by name, as it last was with each."""
    previews: tuple[PreviewSpec, ...] = ()
    sync: Sync = Sync()
    engine: str = ""
    """Whose session that is: the engine's name."""
    engine_session: EngineSessionId | None = None
    reseeding: bool = False
    """Whether the engine began anew and may not have been told the story yet."""
    turn: Turn | None = None
    turns: int = 0
    last_end: e.TurnEnded | None = None
    work: e.WorkCollected | None = None
    proving: e.ProofRequested | None = None
    proof: Proof | None = None
    publishing: Publishing | None = None
    pitch: e.PublishRequested | None = None
    """Title and body in the engine's own words, where it asked for a pull request itself."""
    pushed: CommitId | None = None
    pull_request: PullRequest | None = None
    shown: ProofId | None = None
    spending: Spending = Spending()
    recent_calls: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    """What people have allowed to this session alone."""
    refused_hosts: tuple[str, ...] = ()
    """What the sandbox was refused in this turn, told already."""
    snapshots: tuple[Kept, ...] = ()
    """The newest last."""
    restore: Kept | None = None
    """What a new sandbox begins from."""
    store_failures: int = 0
    """How often in a row a snapshot could not be brought to the blob store."""
    store_at: datetime | None = None
    """When it is tried again."""
    snapshot_due: TurnId | None = None
    """The turn that has ended and whose files are to be kept before the next prompt is handed over."""
    members: Mapping[str, Member] = field(default_factory=dict)
    """By email, in lower case. Who started the session is one of them."""
    house: House = field(default=House(), compare=False)
    """What the deployment says about people; not of the log."""
    later_branch: str = ""
    """Where work goes since the session was rewound behind something that was pushed."""
    children: Mapping[SessionId, Child] = field(default_factory=dict)
    """The sessions that it has started, the refused ones too."""

    @property
    def session(self) -> SessionId:
        """Its id."""
        return self.created.session

    @property
    def title(self) -> str:
        """What it is called now."""
        return self.renamed or self.created.title

    @property
    def branch(self) -> str:
        """The branch on the forge that holds its work."""
        return self.later_branch or f"outrider/{self.session}/work"

    @property
    def head(self) -> CommitId:
        """The newest commit that was collected."""
        return self.work.head if self.work else self.created.base_commit

    @property
    def has_commits(self) -> bool:
        """Whether there is anything beyond the base commit."""
        return self.head != self.created.base_commit

    @property
    def head_proof(self) -> Proof | None:
        """The finished proof of the head."""
        return self.proof if self.proof and self.proof.head == self.head else None

    @property
    def sandbox_alive(self) -> bool:
        """Whether a sandbox runs or is about to."""
        return self.sandbox is not None and self.sandbox.alive

    @property
    def sandbox_ready(self) -> bool:
        """Whether the sandbox was made ready and has not gone since: its files can be read."""
        return self.sandbox is not None and self.sandbox.phase is SandboxPhase.READY

    @property
    def synced(self) -> bool:
        """Whether the workspace is on the session's commit and set up: it may be worked in."""
        return self.sandbox_ready and self.sync.done

    @property
    def base(self) -> CommitId:
        """The commit that a workspace made anew has to stand on."""
        return self.pushed or self.created.base_commit
