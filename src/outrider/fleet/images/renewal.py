"""Bases get old: our own is built anew after some days, and tags of OCI images are looked up again. The base before
stays in force until the new one is ready, and where it cannot be made."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.commands import Progress
from outrider.fleet.generations import Generation
from outrider.fleet.images.foreign_base import ForeignBases
from outrider.fleet.images.machine import LayerSource
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId
from outrider.model.image import BaseState, Renewed
from outrider.ports.clock import Clock
from outrider.ports.sandbox import SandboxProvider

_log = logging.getLogger(__name__)

DIGEST_MARK = "@sha256:"
"""What is named by its digest is the same for ever."""


class OurBase(LayerSource, Protocol):
    """Our own base."""

    @property
    def name(self) -> str:
        """For people."""

    async def generations(self, provider: SandboxProvider) -> list[Generation]:
        """All that the provider has, the newest first."""

    async def renew(self, provider: SandboxProvider, now: datetime, say: Progress) -> LayerId:
        """One more generation. Raises SandboxError."""


@dataclass(frozen=True, slots=True)
class Ages:
    """How old a base may get, in days (0: as old as it likes), how often is looked, and after how long a base that
    could not be renewed is tried again."""

    days: float = 7
    interval_seconds: float = 1800
    retry_seconds: float = 6 * 3600


@dataclass(frozen=True, slots=True)
class Bases:
    """The bases of one deployment: our own, and those of OCI images that recipes asked for since the start."""

    sandboxes: CleanSandboxes
    ours: OurBase
    foreign: ForeignBases

    @property
    def provider(self) -> SandboxProvider:
        """Who keeps them."""
        return self.sandboxes.provider

    async def in_force(self) -> set[LayerId]:
        """The layers of each that the next sandbox is made from."""
        ours = await self.ours.generations(self.provider)
        return {*(one.layer for one in ours[:1]), *self.foreign.in_force()}

    async def states(self) -> tuple[BaseState, ...]:
        """Which generation of each is in force."""
        rows = [(self.ours.name, await self.ours.generations(self.provider))]
        for reference in sorted(self.foreign.asked):
            rows.append((reference, await self.foreign.generations(reference, self.provider)))
        return tuple(_state(name, found) for name, found in rows if found)


class Renewal:
    """Renews bases from time to time, one at a time. `changed` is told where one is another than before."""

    def __init__(self, bases: Bases, clock: Clock, changed: Callable[[], Awaitable[None]], ages: Ages) -> None:
        self.bases = bases
        self._clock = clock
        self._changed = changed
        self._ages = ages
        self._tried: dict[str, datetime] = {}
        self._one = asyncio.Lock()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self._clock.sleep(self._ages.interval_seconds)
            if self._ages.days:
                await self.renew()

    async def renew(self, *, at_once: bool = False) -> Sequence[Renewed]:
        """Renew what is too old; all of them where it shall be at once. What came of each that was tried."""
        async with self._one:
            done = [await self._ours()] if at_once or await self._is_old() else []
            for reference in sorted(self.bases.foreign.asked):
                if DIGEST_MARK not in reference and (at_once or self._may_try(reference, self._lookup)):
                    done.append(await self._foreign(reference))
        if any(one.changed for one in done):
            await self._changed()
        return done

    async def _is_old(self) -> bool:
        found = await self.bases.ours.generations(self.bases.provider)
        made_at = found[0].made_at if found else None
        old = made_at is not None and self._clock.now() - made_at >= timedelta(days=self._ages.days)
        return old and self._may_try(self.bases.ours.name, timedelta(seconds=self._ages.retry_seconds))

    @property
    def _lookup(self) -> timedelta:
        """A look at a tag is one small request."""
        return min(timedelta(days=self._ages.days), timedelta(days=1))

    def _may_try(self, name: str, patience: timedelta) -> bool:
        tried = self._tried.get(name)
        return tried is None or self._clock.now() - tried >= patience

    async def _ours(self) -> Renewed:
        name = self.bases.ours.name

        async def renew() -> bool:
            await self.bases.ours.renew(self.bases.provider, self._clock.now(), _log.debug)
            return True

        return await self._try(name, renew)

    async def _foreign(self, reference: str) -> Renewed:
        return await self._try(reference, lambda: self.bases.foreign.renew(reference, _log.debug))

    async def _try(self, name: str, renew: Callable[[], Awaitable[bool]]) -> Renewed:
        self._tried[name] = self._clock.now()
        try:
            changed = await renew()
        except OutriderError as error:
            _log.warning("the base %s stays as it is: %s", name, error)
            return Renewed(name=name, changed=False, problem=f"{error.sentence} {error.remedy}".strip()[:2000])
        return Renewed(name=name, changed=changed)


def _state(name: str, found: Sequence[Generation]) -> BaseState:
    return BaseState(name=name, layer=found[0].layer, made_at=found[0].made_at)
