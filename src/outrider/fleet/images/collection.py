"""Deleting layers that nothing needs any more: of old images, and of finished setups."""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from outrider.fleet.images.builds import Builds
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId
from outrider.ports.sandbox import Layers

_log = logging.getLogger(__name__)

OURS = ("repo-", "setup-")
"""What the ids of layers begin with that are collected. Machine images, toolboxes and snapshots are never."""

InUse = Callable[[], Awaitable[Collection[LayerId]]]
"""The layers that somebody else needs: those that sessions' logs name as snapshots, and all below them."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept: images of each branch, days after the last use of a finished setup, builds in the list. An
    image that a newer one replaced stays for `grace_seconds`: a session may be about to start from it."""

    images: int = 3
    days: float = 7
    builds: int = 200
    grace_seconds: float = 3600
    interval_seconds: float = 1800


class Collector:
    """Goes round from time to time, while no build runs."""

    def __init__(self, builds: Builds, layers: Layers, in_use: InUse, keep: Keep) -> None:
        self._builds = builds
        self._catalog = builds.ledger.catalog
        self._clock = builds.ledger.clock
        self._layers = layers
        self._in_use = in_use
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
            kept = await self._forget_images()
            return await self._delete(kept | set(await self._in_use()))

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

    async def _delete(self, kept: set[LayerId]) -> tuple[LayerId, ...]:
        """Delete what is not kept, nor used by a sandbox, nor was used lately. What is seen for the first time counts
        as used now."""
        found = {info.id: info for info in await self._layers.list_layers() if info.id.startswith(OURS)}
        now, uses = self._clock.now(), await self._catalog.layer_uses()
        busy = [layer for layer, info in found.items() if info.used or layer in kept or layer not in uses]
        await self._catalog.touch_layers(busy, now)
        await self._catalog.forget_layers([layer for layer in uses if layer not in found])
        gone = []
        for layer in found.keys() - set(busy):
            if now - uses[layer] < self._patience(layer):
                continue
            try:
                await self._layers.delete_layer(layer)
            except OutriderError as error:
                _log.info("the layer %s stays: %s", layer, error)
                continue
            gone.append(layer)
        await self._catalog.forget_layers(gone)
        return tuple(sorted(gone))

    def _patience(self, layer: LayerId) -> timedelta:
        """How long after its last use a layer stays: that of a setup may serve the next proof."""
        return timedelta(days=self._keep.days) if layer.startswith("setup-") else timedelta(0)
