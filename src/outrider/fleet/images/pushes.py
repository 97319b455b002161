"""Pushes that code hosts tell of: the branch is looked at soon, each once however often it is told."""

import asyncio

from outrider.fleet.images.schedule import Branch, Schedule
from outrider.model.limits import FIXED, quota_reached
from outrider.model.push import Push, address_key
from outrider.ports.forge import Forge

WAITING_LIMIT = 200
"""Branches that wait for a look at once. The look of every half hour finds the others."""

RETRY_SECONDS = 60.0


class Pushes:
    """Takes pushes and works them off, one look at a time."""

    def __init__(self, forge: Forge, schedule: Schedule) -> None:
        self._forge = forge
        self._schedule = schedule
        self._waiting: dict[Branch, None] = {}
        self._changed = asyncio.Event()

    async def take(self, push: Push) -> tuple[str, ...]:
        """The names of the repositories here whose branch will be looked at; empty where none is meant. Raises
        QuotaReached where too many wait."""
        keys = set(filter(None, map(address_key, push.urls)))
        known = [one.name for one in await self._forge.repositories() if address_key(one.source) in keys]
        for name in known if push.branch else ():
            branch = (name, push.branch)
            if len(self._waiting) >= WAITING_LIMIT and branch not in self._waiting:
                raise quota_reached(
                    f"{WAITING_LIMIT} pushes wait for a look already, which is the most.",
                    "Nothing is lost: every branch in use is looked at from time to time.",
                    FIXED,
                    retry_after=RETRY_SECONDS,
                )
            self._waiting[branch] = None
        self._changed.set()
        return tuple(known)

    async def run(self) -> None:
        """Look at what was pushed until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.work_off()

    async def work_off(self) -> None:
        """Look at all that waits."""
        while self._waiting:
            branch = next(iter(self._waiting))
            del self._waiting[branch]  # before the look: a push that comes meanwhile asks for another one
            await self._schedule.told(*branch)
