"""Deleting layers that nothing needs any more: of old images, of earlier bases and what stood on them, of finished
setups. What keeps a layer is in `needs`."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outrider.fleet.claims import LayerClaims
from outrider.fleet.images.builds import Builds
from outrider.fleet.images.needs import COLLECTED, Needs, Patience, needed, removable, users_last
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId
from outrider.model.image import Collected
from outrider.model.sandbox import LayerInfo
from outrider.ports.sandbox import Layers

_log = logging.getLogger(__name__)

Wanted = Callable[[], Awaitable[Collection[LayerId]]]
"""Layers that somebody needs, whether they exist or not. Raises OutriderError where that cannot be known."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept: images of each branch, days after the last use of any layer that another session or proof may
    want, builds in the list. What was replaced or used within `grace_seconds` stays: somebody may be about to start."""

    images: int = 3
    days: float = 7
    builds: int = 200
    grace_seconds: float = 3600
    interval_seconds: float = 1800

    @property
    def patience(self) -> Patience:
        """How long an unused layer stays."""
        return Patience(others=max(timedelta(days=self.days), timedelta(seconds=self.grace_seconds)))


@dataclass(frozen=True, slots=True)
class Holders:
    """Who says what is needed: `sessions` what their logs name as snapshots, and all below; `in_force` what the next
    sandbox is made from."""

    sessions: Wanted
    in_force: Wanted
    claims: LayerClaims


class Collector:
    """Goes round from time to time, while no build runs. `last` is the newest round that deleted anything."""

    def __init__(self, builds: Builds, layers: Layers, holders: Holders, keep: Keep) -> None:
        self.last: Collected | None = None
        self._builds = builds
        self._catalog = builds.ledger.catalog
        self._clock = builds.ledger.clock
        self._layers = layers
        self._holders = holders
        self._keep = keep

    async def run(self) -> None:
        """Collect again and again until cancelled."""
        while True:
            await self._clock.sleep(self._keep.interval_seconds)
            try:
                await self.collect()
            except OutriderError as error:
                _log.warning("layers could not be collected: %s", error)

    async def collect(self) -> tuple[LayerId, ...]:
        """Delete what nothing needs; returns the layers that went. Does nothing while a build runs."""
        async with self._builds.resting() as rests:
            if not rests:
                return ()
            for build in await self._catalog.trim_builds(self._keep.builds):
                await self._builds.ledger.logs.delete(build)
            images = await self._forget_images()
            return await self._delete(Needs(images, await self._holders.sessions(), await self._holders.in_force()))

    async def _forget_images(self) -> set[LayerId]:
        """Forget all but the newest images of each branch; the layers of those that stay."""
        kept: set[LayerId] = set()
        newer: dict[tuple[str, str], list[datetime]] = {}
        for image in await self._catalog.images():
            before = newer.setdefault((image.repository, image.branch), [])
            replaced_for = self._clock.now() - before[-1] if before else timedelta(0)
            before.append(image.built_at)
            if len(before) <= self._keep.images or replaced_for < timedelta(seconds=self._keep.grace_seconds):
                kept |= {*image.layers, image.toolbox}
            else:
                await self._catalog.forget_image(image.build)
        return kept

    async def _delete(self, needs: Needs) -> tuple[LayerId, ...]:
        """Delete what no rule keeps. What is needed now, or seen for the first time, counts as used now."""
        found = [info for info in await self._layers.list_layers() if info.id.startswith(COLLECTED)]
        now, uses = self._clock.now(), await self._catalog.layer_uses()
        fresh = {info.id for info in found} - uses.keys()
        await self._catalog.touch_layers(needed(found, needs) | fresh, now)
        await self._catalog.forget_layers([layer for layer in uses if layer not in {info.id for info in found}])
        doomed = removable(found, needs, uses, now, self._keep.patience)
        gone, size = [], 0
        for layer in sorted(doomed, key=users_last):
            taken = await self._layers.layer_bytes([layer])
            if await self._delete_one(layer, found, needs):
                gone.append(layer)
                size += taken
        await self._catalog.forget_layers(gone)
        if gone:
            self.last = Collected(at=now, layers=len(gone), bytes=size)
        return tuple(sorted(gone))

    async def _delete_one(self, layer: LayerId, found: Sequence[LayerInfo], needs: Needs) -> bool:
        """Whether it is gone. Somebody may have claimed it since."""
        async with self._holders.claims.deleting():
            uses = await self._catalog.layer_uses()
            if layer not in removable(found, needs, uses, self._clock.now(), self._keep.patience):
                return False
            try:
                await self._layers.delete_layer(layer)
            except OutriderError as error:
                _log.info("the layer %s stays: %s", layer, error)
                return False
        return True
