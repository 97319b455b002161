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
from outrider.storage.catalog_copy import CatalogRescue, lacks, renew_copy

logger = logging.getLogger(__name__)

COPY_SECONDS = 3600.0
LOOK_SECONDS = 60.0
"""How often it is asked whether hosts were allowed or forbidden, or pull requests opened: then a copy is made."""

TOLD_SESSIONS = 20
"""So many sessions are told that the catalog was damaged: those that changed last."""


@dataclass(frozen=True, slots=True)
class CatalogKeeper:
    """Copies at start and every hour, where anything has changed; within a minute where that is not to go back."""

    path: Path
    rescue: CatalogRescue | None
    index: SessionIndex
    registry: Registry
    clock: Clock

    async def run(self) -> None:
        """Until cancelled. A copy that cannot be made is tried again; the old one stays."""
        if self.rescue:
            await self._tell(self.rescue)
        due = self.clock.monotonic()
        while True:
            if self.clock.monotonic() >= due or await asyncio.to_thread(lacks, self.path):
                await self._copy()
                due = self.clock.monotonic() + COPY_SECONDS
            await self.clock.sleep(LOOK_SECONDS)

    async def _copy(self) -> None:
        try:
            await asyncio.to_thread(renew_copy, self.path)
        except OutriderError as error:
            logger.error("%s", error)

    async def _tell(self, rescue: CatalogRescue) -> None:
        await self.registry.taken_up.wait()
        problem = ProblemReported(sentence=rescue.sentence, remedy=rescue.remedy)
        for row in await self.index.list(limit=TOLD_SESSIONS):
            if row.status != "archived":
                with contextlib.suppress(OutriderError):
                    await self.registry.ask(row.id, Report(problem))
