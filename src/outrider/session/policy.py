"""What the deployment decides about its sessions."""

from dataclasses import dataclass, field

from outrider.model.sandbox import Isolation, Limits, LimitTier


@dataclass(frozen=True, slots=True)
class Policy:
    """Plain values; isolation and tier are what the provider's probe found."""

    isolation: Isolation = Isolation.SHARED_KERNEL
    limit_tier: LimitTier = LimitTier.WATCHDOG
    limits: Limits = field(default_factory=Limits)
    idle_seconds: float = 600
    """After this long without a turn the sandbox is made a snapshot."""
    snapshots_kept: int = 20
    """Snapshots of a session that it can be rewound to: those of its newest turns."""
    sync_seconds: float = 300
    """How long fetching and checking out a branch may take beside a reading engine; a clone has its own limit."""
    awake_sessions: int = 100
    """Sessions at rest that stay in memory; beyond it the one used longest ago goes to sleep."""
    commit_window_seconds: float = 0.005
    """How long a busy session gathers commands for one commit."""
    delta_window_seconds: float = 0.033
    """How long deltas are gathered into one frame: half the CPU for 22 ms."""
