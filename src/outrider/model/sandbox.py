"""What a sandbox is made of and what it may use."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime, Field

from outrider.model.base import Model
from outrider.model.ids import LayerId, SandboxId

WORKSPACE = "/workspace"
"""Where the checkout of the repository stands in every sandbox."""

TOOLBOX = "/opt/outrider"
"""Where the toolbox (node, engine) is mounted read-only in every sandbox."""

GUEST_HOME = "/home/agent"
"""Home folder of the guest's user."""

GUEST_USER = "agent"
"""Name of guest uid 1000, which runs everything but image builds."""

GUEST_UID = 1000

ENGINE_ROLE = "engine"
"""OUTRIDER_ROLE of the engine's own processes, by which the stop ladder and a setup spare them."""

SETUP_ROLE = "setup"
"""OUTRIDER_ROLE of a session's setup commands: what they leave running ends with them."""

SYNC_ROLE = "sync"
"""OUTRIDER_ROLE of what we run in a workspace ourselves while the engine may work in it."""

BROKER_PORT = 4180
"""Loopback port in the guest behind which the broker answers: LLM gateway, MCP, git."""

EGRESS_PORT = 4181
"""Loopback port in the guest behind which the egress proxy answers."""


class Isolation(StrEnum):
    """How strong the wall is, in the words shown to people."""

    VM = "vm"
    USER_KERNEL = "user-kernel"
    SHARED_KERNEL = "shared-kernel"


class LimitTier(StrEnum):
    """Who enforces the limits: the kernel's cgroups, or rlimits and our watchdog."""

    CGROUP = "cgroup"
    WATCHDOG = "rlimit+watchdog"


class GuestRole(StrEnum):
    """Who the guest's sshd runs as: the session's user (uid 1000, no capabilities) or guest root for image builds."""

    SESSION = "session"
    BUILD = "build"


class LimitCaps(Model):
    """What a repository asks its sandboxes to be held to, below what the operator allows."""

    cpus: float | None = Field(default=None, gt=0, description="CPUs")
    memory_mb: int | None = Field(default=None, ge=256, description="Memory in megabytes")
    processes: int | None = Field(default=None, ge=64, description="Processes and threads")
    disk_mb: int | None = Field(default=None, ge=64, description="What it may write, in megabytes")
    wall_seconds: float | None = Field(default=None, ge=60, description="How long it may run at a stretch")
    idle_seconds: float | None = Field(
        default=None, ge=10, description="After this long without a turn a session's sandbox goes to sleep"
    )


class Limits(Model):
    """What one sandbox may use. Out of any of it is said in the session, and nothing is lost."""

    cpus: float = Field(default=2.0, gt=0)
    memory_bytes: int = Field(default=4 << 30, gt=0)
    processes: int = Field(default=1024, gt=0)
    disk_bytes: int = Field(default=10 << 30, gt=0, description="What the sandbox itself may write")
    wall_seconds: float = Field(default=6 * 3600, gt=0)

    def within(self, caps: LimitCaps) -> "Limits":
        """The lower of these and the caps: a repository may ask for less, never for more."""
        return Limits(
            cpus=min(self.cpus, caps.cpus or self.cpus),
            memory_bytes=min(self.memory_bytes, (caps.memory_mb or 1 << 40) << 20),
            processes=min(self.processes, caps.processes or self.processes),
            disk_bytes=min(self.disk_bytes, (caps.disk_mb or 1 << 40) << 20),
            wall_seconds=min(self.wall_seconds, caps.wall_seconds or self.wall_seconds),
        )


class Totals(Model):
    """What all sandboxes of sessions may use together, by their limits, and those of checks and images as much again.
    None: as much as there is."""

    cpus: float | None = Field(default=None, gt=0)
    memory_bytes: int | None = Field(default=None, gt=0)
    disk_bytes: int | None = Field(default=None, gt=0)


class SandboxSpec(Model):
    """What to make. `layers` are bottom first; the toolbox is a layer mounted read-only at `TOOLBOX`."""

    id: SandboxId
    layers: tuple[LayerId, ...] = Field(min_length=1, max_length=64)
    toolbox: LayerId | None = None
    role: GuestRole = GuestRole.SESSION
    limits: Limits = Limits()
    labels: Mapping[str, str] = {}
    background: bool = False
    """Whether it gives way to others where processors are short, until it is relabelled. A provider that cannot do so
    passes it over."""


class SandboxHandle(Model):
    """A made sandbox as its provider knows it: opaque to everyone else, kept in the session's log."""

    id: SandboxId
    provider: str
    state: Mapping[str, str] = {}


class SandboxInfo(Model):
    """One row of what a provider really has."""

    handle: SandboxHandle
    labels: Mapping[str, str]
    running: bool
    layers: tuple[LayerId, ...] = ()
    """What it was made from, bottom first, and its toolbox."""
    toolbox: LayerId | None = None
    suspect: bool = False
    """Whether the machine stopped without warning after it had written what may not have come to the disk. It can only
    be destroyed."""


class LayerInfo(Model):
    """One layer that a provider keeps."""

    id: LayerId
    used: bool = Field(description="Whether a sandbox that exists is made from it")
    made_at: AwareDatetime | None = Field(default=None, description="None where the provider does not know")


class ProbeReport(Model):
    """What a provider can do on this machine, found by really starting a sandbox and running `true` in it."""

    provider: str
    works: bool
    version: str = Field(default="", description="Of what makes them, with its name; empty where it is not there")
    isolation: Isolation
    limit_tier: LimitTier
    detail: str = Field(description="One sentence: what is in force, or what is missing")
    remedy: str = Field(default="", description="The line to run where it does not work")
