"""The real server, with a wire to it over which a benchmark has events published: run as a child process.

Its one argument is how many sessions at rest it keeps in memory, however long; what lies beyond goes to sleep.

Lines on the Unix socket `wire` in the home, each with one answer:

- `publish EVENTS MICROSECONDS BYTES SESSIONS`: so many events are stored and published in each of the first so many
  sessions, one every so many microseconds, each with a stamp in it; without a pause all at once. Several sessions begin
  one after the other within the first pause. `CPU_us FIRST_ns`
- `wake SESSION`: one event is stored in a session, which wakes it where it sleeps. The microseconds that it took
- `rest MOST`: once all sessions are in the indexes, no more than so many are awake and the others closed, and house was
  kept. How many are awake
- `size`: bytes of memory, open files
"""

import asyncio
import contextlib
import gc
import sys
import time
from functools import partial
from pathlib import Path

import uvloop

from outrider.api.parts import Parts
from outrider.app import deployment, server
from outrider.model.commands import Report
from outrider.model.events import StageReported
from outrider.model.ids import SessionId
from outrider.session.policy import Policy
from outrider.session.roster import HOUSEKEEPING_SECONDS
from outrider.settings import Settings
from outrider.storage.catalog import CONNECTIONS
from outrider.storage.catalog_copy import CATALOG, lacks, renew_copy

NO_PINGS_SECONDS = 86_400.0
"""The clients in C answer no pings, and whoever answers none is taken for gone."""

NEVER_SECONDS = 86_400.0
SETTLE_SECONDS = 600


class Wire:
    """Answers one benchmark."""

    def __init__(self, home: Path, parts: Parts) -> None:
        self._home = home
        self._parts = parts
        self._sessions = sorted(SessionId(folder.name) for folder in (home / "sessions").iterdir())
        self._known = False

    async def run(self) -> None:
        """Until cancelled. The catalog opens connections as they are needed, and SQLite keeps the files open that its
        first copies have used: all are there before any is counted."""
        await asyncio.gather(*(self._parts.index.counts() for _ in range(CONNECTIONS)))
        for look in (renew_copy, lacks):
            await asyncio.to_thread(look, self._home / CATALOG)
        wire = await asyncio.start_unix_server(self._serve, self._home / "wire")
        async with wire:
            await wire.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().split():
            words = [int(word) for word in line[1:] if word.isdecimal()]
            match line[0]:
                case "publish":
                    answer = await self._publish(*words)
                case "wake":
                    answer = await self._wake(SessionId(line[1]))
                case "rest":
                    answer = await self._rest(*words)
                case _:
                    answer = await asyncio.to_thread(_size)  # the kernel counts for tens of milliseconds
            writer.write(f"{answer}\n".encode())
            await writer.drain()
        writer.close()

    async def _publish(self, events: int, pause_us: int, size: int, sessions: int) -> str:
        begun, before = time.monotonic_ns(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for number, session in enumerate(self._sessions[:sessions]):
                starts = time.monotonic() + number / sessions * pause_us / 1e6
                tasks.create_task(self._stream(session, events, pause_us, size, starts), name="publish")
        await asyncio.sleep(0.2)  # what was handed to the loop goes out
        return f"{(time.process_time() - before) * 1e6:.0f} {begun}"

    async def _stream(self, session: SessionId, events: int, pause_us: int, size: int, begun: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(events):
                if pause_us:
                    await asyncio.sleep(max(begun + number * pause_us / 1e6 - time.monotonic(), 0))
                    await self._report(session, size)
                else:
                    tasks.create_task(self._report(session, size), name="event")

    async def _report(self, session: SessionId, size: int) -> None:
        text = f"TS{time.monotonic_ns()} ".ljust(max(size - 130, 30), "x")
        await self._parts.registry.ask(session, Report(StageReported(stage="load", text=text)))

    async def _wake(self, session: SessionId) -> str:
        begun = time.perf_counter_ns()
        await self._report(session, 300)
        return f"{(time.perf_counter_ns() - begun) / 1000:.1f}"

    async def _rest(self, most: int) -> str:
        async with asyncio.timeout(SETTLE_SECONDS):
            while not await self._indexed() or self._awake > most or _logs() > most:  # noqa: ASYNC110 -- from outside
                await asyncio.sleep(0.2)
        await asyncio.sleep(HOUSEKEEPING_SECONDS + 1)
        return str(self._awake)

    @property
    def _awake(self) -> int:
        return self._parts.registry.busy.awake

    async def _indexed(self) -> bool:
        """Whether the start has gone through all sessions."""
        if not self._known:
            listed, wanted = sum((await self._parts.index.counts()).values()), len(self._sessions)
            self._known = listed >= wanted and len(await self._parts.search.reached()) >= wanted
        return self._known


def _logs() -> int:
    """Logs that are open."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since
            count += link.readlink().name == "log.sqlite"
    return count


def _size() -> str:
    gc.collect()
    status = Path("/proc/self/smaps_rollup").read_text().split("\n")
    memory = next(int(line.split()[1]) << 10 for line in status if line.startswith("Rss:"))
    return f"{memory} {len(list(Path('/proc/self/fd').iterdir()))}"


def main() -> None:
    """Serve until told to stop."""
    settings = Settings.read()
    server.PING_SECONDS = NO_PINGS_SECONDS
    deployment.Policy = partial(Policy, awake_sessions=int(sys.argv[1]), rest_seconds=NEVER_SECONDS)  # type: ignore[misc]
    uvloop.run(server.serve(settings, beside=lambda parts: Wire(settings.home, parts).run()))


if __name__ == "__main__":
    main()
