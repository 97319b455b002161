"""How many sandboxes run at once, and what they may use together: one owner, who lets callers wait and says why."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from outrider.fleet.commands import Progress
from outrider.fleet.floors import Floors
from outrider.model.limits import limit_reached, quota_reached
from outrider.model.sandbox import Limits, Totals

COUNT = "OUTRIDER_MAX_SANDBOXES"


class Share(NamedTuple):
    """What one sandbox takes of a total."""

    what: str
    setting: str
    takes: float
    total: float
    unit: float
    """What it is divided by to be read."""

    def read(self, amount: float) -> str:
        """An amount, for people."""
        return f"{amount / self.unit:.3g} {self.what}"


class SandboxSlots:
    """`total` sandboxes at once, and together no more than `totals`; those that wait go first come, first served. Up to
    `waiting_limit` callers wait, more are refused."""

    def __init__(
        self, total: int, *, waiting_limit: int = 200, floors: Floors | None = None, totals: Totals | None = None
    ) -> None:
        self.total = total
        self._totals = totals or Totals()
        self._waiting_limit = waiting_limit
        self._floors = floors
        self._held: list[Limits] = []
        self._line: deque[tuple[Limits, asyncio.Future[None]]] = deque()

    @property
    def in_use(self) -> int:
        """How many are taken."""
        return len(self._held)

    def left(self, each: Limits) -> int:
        """How many more of these would find room now."""
        fits = [int((share.total - self._used(share) + 1e-9) // share.takes) for share in self._shares(each)]
        return max(min(self.total - self.in_use, *fits, self.total), 0)

    @asynccontextmanager
    async def take(self, purpose: str, say: Progress, limits: Limits | None = None) -> AsyncIterator[None]:
        """Hold one slot for a sandbox of these limits. Raises LimitReached where it can never fit, too many wait
        already, or the machine has no room for one more; `say` hears of a wait."""
        limits = limits or Limits()
        self._expect_ever(purpose, limits)
        if self._line or self._lack(limits, purpose):
            await self._wait(purpose, say, limits)
        else:
            self._held.append(limits)
        try:
            if self._floors is not None:
                await asyncio.to_thread(self._floors.expect, purpose)
            yield
        finally:
            self._leave(limits)

    async def _wait(self, purpose: str, say: Progress, limits: Limits) -> None:
        if len(self._line) >= self._waiting_limit:
            sentence = f"No sandbox for {purpose}: {self.in_use} run and {len(self._line)} others wait already."
            raise quota_reached(sentence, "Try again later.", COUNT)
        say(
            self._lack(limits, purpose)
            or f"Waiting for a free sandbox for {purpose}: {len(self._line)} wait before it."
        )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((limits, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()
            else:
                self._leave(limits)
            raise

    def _leave(self, limits: Limits) -> None:
        self._held.remove(limits)
        self._admit()

    def _admit(self) -> None:
        """Nobody overtakes: a large one would wait for ever behind small ones."""
        self._line = deque(place for place in self._line if not place[1].cancelled())
        while self._line and not self._lack(self._line[0][0], ""):
            limits, turn = self._line.popleft()
            self._held.append(limits)
            turn.set_result(None)

    def _lack(self, limits: Limits, purpose: str) -> str:
        """What there is too little of; empty where it fits."""
        if self.in_use >= self.total:
            return f"Waiting for a free sandbox for {purpose}: all {self.total} are in use."
        for share in self._shares(limits):
            used = self._used(share)
            if used + share.takes > share.total + 1e-9:
                left, all_of_it = share.read(max(share.total - used, 0)), share.read(share.total)
                return f"Waiting for {share.read(share.takes)} for {purpose}: {left} of {all_of_it} are left."
        return ""

    def _expect_ever(self, purpose: str, limits: Limits) -> None:
        for share in self._shares(limits):
            if share.takes > share.total:
                raise limit_reached(
                    f"No sandbox for {purpose}: it takes {share.read(share.takes)}, and all sandboxes together may use "
                    f"{share.read(share.total)}.",
                    "The repository can ask for less in `[limits]` of outrider.toml.",
                    share.setting,
                )

    def _used(self, share: Share) -> float:
        return sum(one.takes for held in self._held for one in self._shares(held) if one.setting == share.setting)

    def _shares(self, limits: Limits) -> Iterator[Share]:
        totals = self._totals
        if totals.cpus is not None:
            yield Share("CPUs", "OUTRIDER_TOTAL_CPUS", limits.cpus, totals.cpus, 1)
        if totals.memory_bytes is not None:
            memory = (limits.memory_bytes, totals.memory_bytes)
            yield Share("GB of memory", "OUTRIDER_TOTAL_MEMORY_BYTES", *memory, 1 << 30)
        if totals.disk_bytes is not None:
            yield Share("GB of disk", "OUTRIDER_TOTAL_DISK_BYTES", limits.disk_bytes, totals.disk_bytes, 1 << 30)
