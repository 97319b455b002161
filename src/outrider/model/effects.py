"""Effects: what the state of a session asks of the world. Derived from state, never stored.

An effect has an id; while the same id is pending it is carried out once, when it is pending no more it is cancelled,
and after a restart it is carried out again: every handler is idempotent by id. A prompt that an engine may have seen is
never handed over again in silence: the attempt is part of `RunTurn`.
"""

from dataclasses import dataclass

from outrider.model.ids import CommitId, EffectId, LayerId, ProofId, SandboxId, SessionId, TurnId
from outrider.model.person import Person


@dataclass(frozen=True, slots=True)
class StartSandbox:
    """Make, adopt or start the sandbox, with files to read in its workspace, and hold the connection to it.

    It stays pending while the sandbox is wanted: to cancel it is to let go of the connection. `start` counts the
    requests, so that a lost sandbox is started anew.
    """

    sandbox: SandboxId
    start: int

    @property
    def id(self) -> EffectId:
        """One per request."""
        return EffectId(f"sandbox-{self.sandbox}-{self.start}")


@dataclass(frozen=True, slots=True)
class SyncWorkspace:
    """Bring the workspace to the session's commit and set it up, while the engine may already read in it.

    Pending from `SandboxReady` until it is synced or has failed. `attempt` counts, so that the next turn tries again.
    """

    sandbox: SandboxId
    start: int
    attempt: int

    @property
    def id(self) -> EffectId:
        """One per start of the sandbox and attempt."""
        return EffectId(f"sync-{self.sandbox}-{self.start}-{self.attempt}")


@dataclass(frozen=True, slots=True)
class RunTurn:
    """Have the engine answer. `attempt` above 1 resumes what was interrupted, `round` above 1 tells of red checks."""

    turn: TurnId
    attempt: int
    round: int

    @property
    def id(self) -> EffectId:
        """One per turn, attempt and round."""
        return EffectId(f"turn-{self.turn}-{self.attempt}-{self.round}")


@dataclass(frozen=True, slots=True)
class StopEngine:
    """The stop ladder: cancel, kill what the turn left, kill the engine."""

    turn: TurnId

    @property
    def id(self) -> EffectId:
        """One per turn."""
        return EffectId(f"stop-{self.turn}")


@dataclass(frozen=True, slots=True)
class CollectWork:
    """Commit what is left over and fetch the commits of the workspace into the quarantine."""

    turn: TurnId
    round: int

    @property
    def id(self) -> EffectId:
        """One per turn and round."""
        return EffectId(f"collect-{self.turn}-{self.round}")


@dataclass(frozen=True, slots=True)
class Prove:
    """Run the checks in clean sandboxes."""

    proof: ProofId
    head: CommitId

    @property
    def id(self) -> EffectId:
        """One per proof."""
        return EffectId(f"prove-{self.proof}")


@dataclass(frozen=True, slots=True)
class Publish:
    """Push the branch; with `pull_request`, have one for it and show the proof on it where there is one."""

    head: CommitId
    title: str
    body: str
    proof: ProofId | None
    pull_request: bool = True

    @property
    def id(self) -> EffectId:
        """One per head and proof."""
        return EffectId(f"publish-{self.head[:12]}-{self.proof or 'bare'}")


@dataclass(frozen=True, slots=True)
class StopSandbox:
    """Stop the sandbox and keep its files; `destroy` where the session is archived."""

    sandbox: SandboxId
    destroy: bool = False

    @property
    def id(self) -> EffectId:
        """One per sandbox."""
        return EffectId(f"release-{self.sandbox}")


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Keep all that the sandbox has written as a layer, at the end of a turn. The engine gets no prompt before."""

    turn: TurnId
    sandbox: SandboxId
    start: int

    @property
    def id(self) -> EffectId:
        """One per turn and start of the sandbox."""
        return EffectId(f"snapshot-{self.turn}-{self.start}")


@dataclass(frozen=True, slots=True)
class SleepSandbox:
    """Turn all that the sandbox has written into a layer, and destroy the sandbox."""

    turn: TurnId
    sandbox: SandboxId
    start: int

    @property
    def id(self) -> EffectId:
        """One per start of the sandbox."""
        return EffectId(f"sleep-{self.turn}-{self.start}")


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """Bring a snapshot and what it stands on to the blob store, in the background. `attempt` counts since the store
    was last seen to work."""

    layer: LayerId
    layers: tuple[LayerId, ...]
    attempt: int = 1

    @property
    def id(self) -> EffectId:
        """One per snapshot and attempt."""
        return EffectId(f"store-{self.layer}-{self.attempt}")


@dataclass(frozen=True, slots=True)
class TendChild:
    """See to it that a child exists and has its prompts, and hear it to its rest. `prompts` counts what it was sent."""

    child: SessionId
    prompts: int

    @property
    def id(self) -> EffectId:
        """One per child and prompt."""
        return EffectId(f"child-{self.child}-{self.prompts}")


@dataclass(frozen=True, slots=True)
class StopChild:
    """Stop a child's turn and those of its children, and take back what waits for it."""

    child: SessionId
    by: Person

    @property
    def id(self) -> EffectId:
        """One per child."""
        return EffectId(f"stop-child-{self.child}")


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Send TimerFired at this time (seconds of the wall clock since the epoch)."""

    name: str
    at: float

    @property
    def id(self) -> EffectId:
        """One per name and time."""
        return EffectId(f"timer-{self.name}-{self.at:.3f}")


Effect = (
    StartSandbox
    | SyncWorkspace
    | RunTurn
    | StopEngine
    | CollectWork
    | Prove
    | Publish
    | TakeSnapshot
    | SleepSandbox
    | StoreSnapshot
    | StopSandbox
    | TendChild
    | StopChild
    | WaitUntil
)
