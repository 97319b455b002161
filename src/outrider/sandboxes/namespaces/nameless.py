"""When to look for memory in files that have no name (memfd_create), and what the looks have found.

Whoever looks must stand in the sandbox's user namespace, so it is a call of the helper program: measured 0.05 s of
one core for its start, and 13 microseconds for each open file. On most machines it is never made:
where all shared memory of the machine could not bring a sandbox above its limit, there is nothing to look for. Where
it could (a database of the host has gigabytes of it), a look is made when that memory has grown by `STEP_BYTES`, and
every `SECONDS`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from outrider.model.errors import SandboxError
from outrider.ports.clock import Clock
from outrider.sandboxes.namespaces.mapped_call import MappedCalls
from outrider.sandboxes.namespaces.memory import Census, Files, machine_shared

logger = logging.getLogger(__name__)

STEP_BYTES = 32 << 20
SECONDS = 5.0

FILES_A_LOOK = 20_000
"""So many open files are looked at in one round, 0.3 s of one core; the next round goes on with the processes that
were left. A sandbox that has all the 4.2 million open that it may have is looked through in some minutes."""


class Nameless:
    """Files without a name of sandboxes that may be above their limit by them."""

    def __init__(
        self, calls: Callable[[], Awaitable[MappedCalls]], clock: Clock, shared: Callable[[], int] = machine_shared
    ) -> None:
        self._calls = calls
        self._shared = shared
        self._clock = clock
        self._found: dict[int, Files] = {}
        self._left: set[int] = set()
        """Processes that the pass under way has not looked at yet."""
        self._shared_then = -STEP_BYTES
        self._begun_at = float("-inf")
        self._failed = False

    async def files(self, counted: Sequence[tuple[Census, int]]) -> Mapping[int, Files]:
        """By pid, as far as the newest pass has come; each sandbox comes with its limit in bytes."""
        shared = await asyncio.to_thread(self._shared)
        suspects = [row for row in counted if _suspect(*row, shared)]
        pids = {pid for census, _ in suspects for pid in census.uses}
        self._found = {pid: files for pid, files in self._found.items() if pid in pids}
        self._left &= pids
        if pids and not self._left and (self._due(shared) or self._over(suspects)):
            self._left, self._shared_then, self._begun_at = pids, shared, self._clock.monotonic()
        if self._left:
            await self._look([census for census, _ in suspects])
        return {pid: files for pid, files in self._found.items() if pid not in self._left}

    def _due(self, shared: int) -> bool:
        self._shared_then = min(self._shared_then, shared)
        return shared - self._shared_then >= STEP_BYTES or self._clock.monotonic() - self._begun_at >= SECONDS

    def _over(self, suspects: Iterable[tuple[Census, int]]) -> bool:
        """Whether what an earlier pass found would have a process killed: it may be gone since."""
        return any(census.total(self._found) > limit for census, limit in suspects)

    async def _look(self, suspects: Sequence[Census]) -> None:
        wanted = [
            {"init": (census.init.pid, census.init.started), "pids": sorted(self._left & census.uses.keys())}
            for census in suspects
        ]
        try:
            calls = await self._calls()
            answer = await calls("nameless", sandboxes=wanted, files=FILES_A_LOOK)
        except SandboxError as error:
            if not self._failed:
                logger.warning("files without a name are not counted as memory of sandboxes: %s", error)
            self._failed = True
            return
        self._failed = False
        looked = {int(pid): dict(files) for pid, files in answer["looked"].items()}
        self._found |= looked
        self._left -= looked.keys()


def _suspect(census: Census, limit: int, shared: int) -> bool:
    """Whether files without a name could bring it above its limit, or decide which of its processes ends."""
    if not census.uses or census.at_most(shared) <= limit:
        return False
    return census.total({}) <= limit or shared > census.largest({})[0]
