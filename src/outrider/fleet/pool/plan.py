"""What a warm sandbox is made from and what starts in it, as plain values: `app` reads images and recipes for us."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from outrider.model.egress import EgressPolicy
from outrider.model.ids import CommitId, LayerId
from outrider.model.pool import PoolKey
from outrider.model.sandbox import LimitCaps
from outrider.model.services import Beside


@dataclass(frozen=True, slots=True)
class WarmPlan:
    """One repository's."""

    key: PoolKey
    build: str
    """The build that made the image."""
    commit: CommitId
    """What the image's checkout stands on."""
    layers: tuple[LayerId, ...]
    toolbox: LayerId
    mirror: Path
    """A bare repository, read through the door as for a build."""
    egress: EgressPolicy = field(default_factory=EgressPolicy)
    """What it may reach until a session takes it over."""
    beside: Beside = field(default_factory=Beside)
    """Services and start commands, and the environment of them and of what the engine runs."""
    caps: LimitCaps = field(default_factory=LimitCaps)
    """What the repository limits itself to."""
    target: int | None = None
    """How many the recipe wants; None: as many as are asked for."""

    @property
    def make(self) -> str:
        """What two sandboxes of one plan have in common: all that cannot be changed in one that runs."""
        parts = (self.build, *self.layers, self.toolbox, self.beside.model_dump_json(), self.caps.model_dump_json())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class WarmPlans(Protocol):
    """Where plans come from."""

    async def plan(self, key: PoolKey) -> WarmPlan | None:
        """The plan of the newest image; None where there is none. Raises OutriderError."""

    async def fixed(self) -> Sequence[PoolKey]:
        """What is kept warm though nobody has asked for it lately: the recipe says so."""
