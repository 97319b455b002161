"""What the deployment decides about its sessions."""

from dataclasses import dataclass, field

from outrider.model.child_commands import Caps
from outrider.model.limits import QueueRules
from outrider.model.sandbox import Isolation, Limits, LimitTier


@dataclass(frozen=True, slots=True)
class Budget:
    """What a tree of sessions may use; None: as much as it likes."""

    usd: float | None = None
    tokens: int | None = None

    @property
    def limited(self) -> bool:
        """Whether there is anything to look at."""
        return self.usd is not None or self.tokens is not None


@dataclass(frozen=True, slots=True)
class Policy:
    """Plain values; isolation and tier are what the provider's probe found."""

    isolation: Isolation = Isolation.SHARED_KERNEL
    limit_tier: LimitTier = LimitTier.WATCHDOG
    limits: Limits = field(default_factory=Limits)
    idle_seconds: float = 600
    """After this long without a turn the sandbox is made a snapshot."""
    queue: QueueRules = field(default_factory=QueueRules)
    """How long queues and transcripts may get, and whose prompts go first."""
    snapshots_kept: int = 20
    """Snapshots of a session that it can be rewound to: those of its newest turns."""
    sync_seconds: float = 300
    """How long fetching and checking out a branch may take beside a reading engine; a clone has its own limit."""
    awake_sessions: int = 100
    """Sessions that stay in memory; beyond it the one at rest that was used longest ago goes to sleep at once."""
    rest_seconds: float = 60
    """A session at rest that nobody has used for so long goes to sleep: its log is closed and it leaves memory. Who
    watches it stays attached, and to wake it takes some milliseconds."""
    commit_window_seconds: float = 0.005
    """How long a busy session gathers commands for one commit."""
    delta_window_seconds: float = 0.033
    """How long deltas are gathered into one frame: half the CPU for 22 ms."""
    caps: Caps = field(default_factory=Caps)
    """How many sessions one may become."""
    budget: Budget = field(default_factory=Budget)
    """What one session may use with all that it starts."""
