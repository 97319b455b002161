"""Who is about to use a layer, and who is about to delete it, ask here: neither comes between the other's two steps."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime

from outrider.model.ids import LayerId
from outrider.ports.clock import Clock
from outrider.ports.images import LayerUses


class LayerClaims:
    """Implements `outrider.ports.images.LayerUses`. Claim a layer first, then look whether it is there: what is there
    then stays for as long as an unused layer stays."""

    def __init__(self, uses: LayerUses, clock: Clock) -> None:
        self._uses = uses
        self._clock = clock
        self._one = asyncio.Lock()

    async def touch_layers(self, layers: Collection[LayerId], at: datetime) -> None:
        """These layers were used at that moment. Waits while one is being deleted."""
        async with self._one:
            await self._uses.touch_layers(layers, at)

    async def claim(self, layers: Collection[LayerId]) -> None:
        """These layers are used from now on."""
        await self.touch_layers(layers, self._clock.now())

    @asynccontextmanager
    async def deleting(self) -> AsyncIterator[None]:
        """Nobody claims a layer for as long as this lasts: look who has, and delete."""
        async with self._one:
            yield
