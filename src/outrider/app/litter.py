"""What nobody names any more is deleted: snapshots, and files that were uploaded and never sent."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from outrider.model.errors import OutriderError
from outrider.ports.clock import Clock

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Litter:
    """Collects at start and every hour."""

    snapshots: Callable[[], Awaitable[int]]
    attachments: Callable[[], Awaitable[int]]
    clock: Clock

    async def run(self) -> None:
        """Until cancelled. What cannot be collected is tried again in an hour."""
        while True:
            for name, collect in (("snapshots", self.snapshots), ("attachments", self.attachments)):
                try:
                    await collect()
                except OutriderError as error:
                    logger.error("%s could not be collected: %s", name, error)
            await self.clock.sleep(COLLECT_SECONDS)
