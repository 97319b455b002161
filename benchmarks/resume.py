"""B6: attaching to sessions of 10,000 and 100,000 events over a real WebSocket, beside the bare read of the same files;
and 100 clients that come back at once."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, median, progress
from benchmarks.floors import sqlite_loop
from benchmarks.product import fresh_home, serving_home
from benchmarks.reconnect import Storm, storm
from benchmarks.sessions import write_session
from benchmarks.stalls import Stalls
from outrider.model.ids import SessionId, new_id
from outrider.storage.session_log import FILE_NAME
from tests.e2e.deployment import Deployment

EVENTS = 10_000
MANY = 100_000
MISSED = 500
"""Events that a client lost sight of, a moment's worth of a busy session."""
CLIENTS = 100
ATTACH_SECONDS = 30
FIRST_MS, LAST_MS, READ_TIMES, STORM_MS = 10.0, 40.0, 3.0, 1000.0


@dataclass(frozen=True)
class Attached:
    """One attach, in ms from before the connection was opened."""

    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Log:
    """A session in the server's home, and a copy of its file for the bare read."""

    session: SessionId
    events: int
    bare: Path


async def resume(*, quick: bool) -> list[Figure]:
    """Run it: our server and the bare read in turn, after a warm-up."""
    repeats = 5 if quick else 15
    stalls = Stalls()
    with fresh_home() as home:
        some, many = _write(home, EVENTS), _write(home, MANY // 5 if quick else MANY)
        async with serving_home(home) as deployment, stalls.watching(deployment):
            figures = await attaching(deployment, some, repeats)
            progress(f"B6: {many.events} events")
            attached, read = await _compare(deployment, many, after=0, repeats=5)
            progress(f"B6: {CLIENTS} clients at once")
            storms = [await _storm(deployment, some) for _ in range(repeats + 1)][1:]
    workload = f"{many.events} events of 300 bytes, no gap and nothing twice, median of {len(attached)}"
    return [
        *figures,
        *attach_figures(f"{many.events:,} events", workload, attached, read=read),
        storm_figure(storms),
        stalls.figure("B6 resume"),
    ]


async def ratios(repeats: int) -> list[Figure]:
    """Only what holds on any machine: a whole session of 10,000 events beside the bare read."""
    with fresh_home() as home:
        log = _write(home, EVENTS)
        async with serving_home(home) as deployment:
            return await attaching(deployment, log, repeats)


async def attaching(deployment: Deployment, log: Log, repeats: int) -> list[Figure]:
    """One client, from the beginning and from shortly before the end."""
    whole, read = await _compare(deployment, log, after=0, repeats=repeats)
    rest, _ = await _compare(deployment, log, after=log.events - MISSED, repeats=repeats)
    workload = f"of {log.events} events of 300 bytes, no gap and nothing twice, median of {repeats}"
    return [
        *attach_figures("whole session", f"{log.events} {workload}", whole, read=read, most_ms=LAST_MS),
        *attach_figures("resume", f"{MISSED} {workload}", rest, most_ms=LAST_MS),
    ]


def _write(home: Path, events: int) -> Log:
    session = SessionId(new_id("s"))
    write_session(home / "bare", session, events)
    write_session(home / "sessions", session, events)
    return Log(session, events, home / "bare" / session / FILE_NAME)


async def _storm(deployment: Deployment, log: Log) -> Storm:
    return await storm(deployment, log.session, clients=CLIENTS, after=log.events - MISSED, newest=log.events)


async def _compare(deployment: Deployment, log: Log, *, after: int, repeats: int) -> tuple[list[Attached], list[float]]:
    attached, read = [], []
    for number in range(repeats + 1):
        ours = await _attach(deployment, log, after)
        floor = await asyncio.to_thread(sqlite_loop.read, log.bare, after)
        if number:
            attached.append(ours)
            read.append(floor * 1000)
    return attached, read


async def _attach(deployment: Deployment, log: Log, after: int) -> Attached:
    """Attach and read up to `live`. Raises AssertionError for a gap or anything twice."""
    frames: list[bytes] = []
    started = time.perf_counter()
    async with asyncio.timeout(ATTACH_SECONDS), deployment.feed(log.session, after) as feed:
        frames.append(await feed.socket.recv(decode=False))
        first = time.perf_counter() - started
        while not frames[-1].startswith(b'{"kind":"live"'):
            frames.append(await feed.socket.recv(decode=False))
        last = time.perf_counter() - started
    pages = [json.loads(frame) for frame in frames if frame.startswith(b'{"kind":"events"')]
    numbers = [recorded["seq"] for page in pages for recorded in page["events"]]
    assert numbers == list(range(after + 1, log.events + 1)), "a gap, or an event twice"
    return Attached(first * 1000, last * 1000)


def attach_figures(
    what: str, workload: str, attached: list[Attached], *, read: list[float] | None = None, most_ms: float | None = None
) -> list[Figure]:
    """Of one client. `read` is what the bare loop took for the same events, in ms; `most_ms` how long all may take."""
    first, last = median([one.first for one in attached]), median([one.last for one in attached])
    target, ok = (f"<= {most_ms:g} ms", last <= most_ms) if most_ms else ("", None)
    name = f"B6 {what}"
    figures = [
        Figure(f"{name}, connect to first frame", workload, first, "ms", None, "", f"<= {FIRST_MS:g} ms",
               first <= FIRST_MS),
        Figure(f"{name}, connect to last frame", workload, last, "ms", None, "", target, ok),
    ]  # fmt: skip
    if read is not None:
        rest, floor = median([one.last - one.first for one in attached]), median(read)
        figures.append(Figure(f"{name}, first to last frame", workload, rest, "ms", floor, "bare sqlite3 read",
                              f"<= {READ_TIMES:g} x", rest <= READ_TIMES * floor))  # fmt: skip
    return figures


def storm_figure(storms: list[Storm]) -> Figure:
    """Of all that come at once."""
    last, size = median([one.last_ms for one in storms]), median([one.bytes for one in storms])
    workload = (
        f"{CLIENTS} clients, {MISSED} events each, together {size / 1e6:.3g} MB, no gap and nothing twice, "
        f"median of {len(storms)}"
    )
    return Figure("B6 clients that come back at once, until the last is live", workload, last, "ms", None, "",
                  f"<= {STORM_MS:g} ms", last <= STORM_MS)  # fmt: skip
