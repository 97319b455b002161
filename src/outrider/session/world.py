"""What a session reaches of the world: ports and the fleet, put together in `app`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from outrider.fleet.images.machine import Images
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.warm import Warm
from outrider.fleet.snapshots import Snapshots
from outrider.model.engine import ModelRef
from outrider.model.errors import RepositoryError
from outrider.model.events import SessionCreated
from outrider.model.limits import WorkLimits
from outrider.model.membership import House
from outrider.model.pool import PoolKey
from outrider.ports.attachments import Attachments
from outrider.ports.broker import Broker
from outrider.ports.clock import Clock
from outrider.ports.engine import Engine
from outrider.ports.forge import Forge
from outrider.ports.quarantine import Quarantine
from outrider.ports.sandbox import SandboxProvider
from outrider.ports.store import Blobs
from outrider.proof.recipes import Recipes
from outrider.proof.runner import Prover
from outrider.session.family import Family
from outrider.session.meters import Meters
from outrider.session.quotas import Quotas
from outrider.session.redaction import Redactor
from outrider.session.turn_slots import TurnSlots


class WarmSource(Protocol):
    """Whoever keeps sandboxes warm."""

    async def take(self, key: PoolKey, model: ModelRef, person: str) -> Warm | None:
        """One that is ready, the caller's from now on; None where a session has to start without."""

    def lost(self) -> None:
        """The one that was just taken was dead."""

    async def discard(self, warm: Warm) -> None:
        """Do away with one that was taken and is of no use."""


class NoPool:
    """No sandbox is ever warm."""

    async def take(self, key: PoolKey, model: ModelRef, person: str) -> Warm | None:
        """None."""
        return None

    def lost(self) -> None:
        """Nothing was taken."""

    async def discard(self, warm: Warm) -> None:
        """Nothing was taken."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that effects reach, one for all sessions."""

    clock: Clock
    provider: SandboxProvider
    images: Images
    repository_images: RepositoryImages
    snapshots: Snapshots
    slots: SandboxSlots
    """For the sandboxes of sessions alone. Clean sandboxes have slots of their own: a session that waits for its
    proof keeps its sandbox, so one line for both could stand still for ever."""
    prover: Prover
    engine: Engine
    broker: Broker
    blobs: Blobs
    forges: Mapping[str, Forge]
    """By the name that `Repository.forge` holds."""
    quarantine: Quarantine
    recipes: Recipes
    redactor: Redactor
    attachments: Attachments
    quotas: Quotas
    turns: TurnSlots = field(default_factory=lambda: TurnSlots(WorkLimits()))
    pool: WarmSource = field(default_factory=NoPool)
    meters: Meters = field(default_factory=Meters)
    house: House = field(default_factory=House)
    family: Family = field(default_factory=Family)
    models: tuple[ModelRef, ...] = ()
    """That can be named without more ado, the default first: their providers are set up."""

    def forge(self, name: str) -> Forge:
        """The forge of this name. Raises RepositoryError."""
        if name not in self.forges:
            raise RepositoryError(f"The forge “{name}” is not set up here.", "Set it up again, or start a new session.")
        return self.forges[name]

    async def open_quarantine(self, created: SessionCreated) -> Quarantine:
        """The quarantine with the session's own repository in it. Raises RepositoryError."""
        mirror = self.forge(created.repository.forge).mirror(created.repository)
        await self.quarantine.open(created.session, mirror, created.base_commit)
        return self.quarantine
