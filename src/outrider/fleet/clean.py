"""Clean sandboxes: made for one piece of our own work (an image, a setup, a run of checks), destroyed after it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from outrider.cleanup import to_its_end
from outrider.fleet.claims import LayerClaims
from outrider.fleet.commands import Progress
from outrider.fleet.limits import SandboxSlots
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import BROKER_PORT, EGRESS_PORT, GuestRole, LimitCaps, Limits, SandboxHandle, SandboxSpec
from outrider.ports.broker import Broker, DoorSpec
from outrider.ports.sandbox import Guest, SandboxProvider

_log = logging.getLogger(__name__)

PURPOSE_LABEL = "clean"
"""The label that every clean sandbox carries; its value says what it is for."""


@dataclass(frozen=True, slots=True)
class CleanSpec:
    """What a clean sandbox is made from. `purpose` is shown to whoever waits for one: “the checks”, “an image”.
    `wall_seconds` is as long as it may live; None for what is usual. `caps` are the repository's own."""

    purpose: str
    layers: tuple[LayerId, ...]
    toolbox: LayerId | None = None
    role: GuestRole = GuestRole.SESSION
    wall_seconds: float | None = None
    caps: LimitCaps = field(default_factory=LimitCaps)


class CleanSandboxes:
    """Makes clean sandboxes within the slots and limits, and connects to them through a door of the broker."""

    def __init__(
        self,
        provider: SandboxProvider,
        broker: Broker,
        slots: SandboxSlots,
        limits: Limits | None = None,
        claims: LayerClaims | None = None,
    ) -> None:
        self.provider = provider
        self.broker = broker
        self._slots = slots
        self._limits = limits or Limits()
        self._claims = claims

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is there. It is in use from now on: it is not collected before somebody can use it."""
        if self._claims is not None:
            await self._claims.claim([layer])
        return await self.provider.has_layer(layer)

    @asynccontextmanager
    async def open(self, spec: CleanSpec, say: Progress) -> AsyncIterator[SandboxHandle]:
        """A sandbox for as long as the context lives, however it ends."""
        limits = self._limits.within(spec.caps)
        wall_seconds = limits.wall_seconds if spec.wall_seconds is None else spec.wall_seconds
        async with self._slots.take(spec.purpose, say, limits):
            handle = await self.provider.create(
                SandboxSpec(
                    id=SandboxId(new_id("clean")),
                    layers=spec.layers,
                    toolbox=spec.toolbox,
                    role=spec.role,
                    limits=limits.model_copy(update={"wall_seconds": wall_seconds}),
                    labels={PURPOSE_LABEL: spec.purpose},
                )
            )
            try:
                yield handle
            finally:
                await to_its_end(self.provider.destroy(handle))

    @asynccontextmanager
    async def connect(self, handle: SandboxHandle, door: DoorSpec | None = None) -> AsyncIterator[Guest]:
        """A connection to the guest; with a door, the broker answers at its ports for as long as this lives."""
        if door is None:
            async with await self.provider.connect(handle) as guest:
                yield guest
            return
        async with self.broker.open(door) as sockets, await self.provider.connect(handle) as guest:
            await guest.forward(BROKER_PORT, sockets.http)
            if door.egress is not None:
                await guest.forward(EGRESS_PORT, sockets.egress)
            yield guest


async def reap_left_behind(provider: SandboxProvider, *labels: str) -> int:
    """Destroy every sandbox with one of these labels that a killed server left behind, and say how many there were.
    Call at start, before any is made. One that cannot be destroyed is logged and left for the next start."""
    left = [info for info in await provider.list({}) if not info.labels.keys().isdisjoint(labels)]
    for info in left:
        try:
            await provider.destroy(info.handle)
        except SandboxError as error:
            _log.error("a sandbox left behind with %s could not be destroyed: %s", dict(info.labels), error)
    return len(left)
