"""Keeps a copy of the catalog beside it, and tells people where it had to be used."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from outrider.model.commands import Report
from outrider.model.errors import OutriderError
from outrider.model.events import ProblemReported
from outrider.ports.clock import Clock
from outrider.ports.store import SessionIndex
from outrider.session.registry import Registry
from outrider.storage.catalog_copy import CatalogRescue, renew_copy

logger = logging.getLogger(__name__)

COPY_SECONDS = 3600.0
TOLD_SESSIONS = 20
"""So many sessions are told that the catalog was damaged: those that changed last."""


@dataclass(frozen=True, slots=True)
class CatalogKeeper:
    """Copies at start and every hour, where anything has changed."""

    path: Path
    rescue: CatalogRescue | None
    index: SessionIndex
    registry: Registry
    clock: Clock

    async def run(self) -> None:
        """Until cancelled. A copy that cannot be made is tried again in an hour; the old one stays."""
        if self.rescue:
            await self._tell(self.rescue)
        while True:
            try:
                await asyncio.to_thread(renew_copy, self.path)
            except OutriderError as error:
                logger.error("%s", error)
            await self.clock.sleep(COPY_SECONDS)

    async def _tell(self, rescue: CatalogRescue) -> None:
        await self.registry.taken_up.wait()
        problem = ProblemReported(sentence=rescue.sentence, remedy=rescue.remedy)
        for row in await self.index.list(limit=TOLD_SESSIONS):
            if row.status != "archived":
                with contextlib.suppress(OutriderError):
                    await self.registry.ask(row.id, Report(problem))
