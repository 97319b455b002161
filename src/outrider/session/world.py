"""What a session reaches of the world, and how the deployment wants it: plain values, put together in `app`."""

from collections.abc import Mapping
from dataclasses import dataclass

from outrider.fleet.images import Images
from outrider.model.sandbox import Isolation, Limits, LimitTier
from outrider.ports.broker import Broker
from outrider.ports.clock import Clock
from outrider.ports.engine import Engine
from outrider.ports.forge import Forge
from outrider.ports.quarantine import Quarantine
from outrider.ports.sandbox import SandboxProvider
from outrider.proof.runner import Prover
from outrider.session.redaction import Redactor


@dataclass(frozen=True, slots=True)
class Policy:
    """What the deployment decides about sessions."""

    isolation: Isolation
    limit_tier: LimitTier
    limits: Limits
    idle_seconds: float = 600
    """After this long without a turn the sandbox is stopped; its files are kept."""
    awake_sessions: int = 100
    """Sessions at rest that stay in memory; beyond it the one used longest ago goes to sleep."""
    commit_window_seconds: float = 0.005
    """How long a busy session gathers commands for one commit."""
    delta_window_seconds: float = 0.033
    """How long deltas are gathered into one frame: half the CPU for 22 ms."""
    session_url: str = "http://localhost:4100/sessions/{session}"
    """Where people see a session; named in pull requests."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that effects reach, one for all sessions."""

    clock: Clock
    provider: SandboxProvider
    images: Images
    prover: Prover
    engine: Engine
    broker: Broker
    forges: Mapping[str, Forge]
    """By the name that `Repository.forge` holds."""
    quarantine: Quarantine
    redactor: Redactor
