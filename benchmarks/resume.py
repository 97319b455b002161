"""B6: attaching to a session of 10,000 events over a real WebSocket, beside the bare read of the same file."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, median
from benchmarks.floors import sqlite_loop
from benchmarks.product import fresh_home, serving_home
from benchmarks.sessions import write_session
from outrider.model.ids import SessionId, new_id
from outrider.storage.session_log import FILE_NAME
from tests.e2e.deployment import Deployment

EVENTS = 10_000
MISSED = 500
"""Events that a client lost sight of, a moment's worth of a busy session."""
ATTACH_SECONDS = 30


@dataclass(frozen=True)
class Attached:
    """One attach, in ms from before the connection was opened."""

    first: float
    last: float


async def resume(*, quick: bool) -> list[Figure]:
    """Run it: our server and the bare read in turn, after a warm-up."""
    repeats = 5 if quick else 15
    session = SessionId(new_id("s"))
    with fresh_home() as home:
        write_session(home / "bare", session, EVENTS)
        write_session(home / "sessions", session, EVENTS)
        bare = home / "bare" / session / FILE_NAME
        async with serving_home(home) as deployment:
            whole = await _compare(deployment, session, bare, after=0, repeats=repeats)
            rest = await _compare(deployment, session, bare, after=EVENTS - MISSED, repeats=repeats)
    return [*_figures("whole session", EVENTS, *whole, repeats), *_figures("resume", MISSED, *rest, repeats)]


async def _compare(
    deployment: Deployment, session: SessionId, bare: Path, *, after: int, repeats: int
) -> tuple[list[Attached], list[float]]:
    attached, read = [], []
    for number in range(repeats + 1):
        ours = await _attach(deployment, session, after)
        floor = await asyncio.to_thread(sqlite_loop.read, bare, after)
        if number:
            attached.append(ours)
            read.append(floor * 1000)
    return attached, read


async def _attach(deployment: Deployment, session: SessionId, after: int) -> Attached:
    """Attach and read up to `live`. Raises AssertionError for a gap or anything twice."""
    frames: list[bytes] = []
    started = time.perf_counter()
    async with asyncio.timeout(ATTACH_SECONDS), deployment.feed(session, after) as feed:
        frames.append(await feed.socket.recv(decode=False))
        first = time.perf_counter() - started
        while not frames[-1].startswith(b'{"kind":"live"'):
            frames.append(await feed.socket.recv(decode=False))
        last = time.perf_counter() - started
    pages = [json.loads(frame) for frame in frames if frame.startswith(b'{"kind":"events"')]
    numbers = [recorded["seq"] for page in pages for recorded in page["events"]]
    assert numbers == list(range(after + 1, EVENTS + 1)), "a gap, or an event twice"
    return Attached(first * 1000, last * 1000)


def _figures(what: str, events: int, attached: list[Attached], read: list[float], repeats: int) -> list[Figure]:
    workload = f"{events} of {EVENTS} events of 300 bytes, no gap and nothing twice, median of {repeats}"
    first, last = median([one.first for one in attached]), median([one.last for one in attached])
    rest, floor = median([one.last - one.first for one in attached]), median(read)
    beside = "bare sqlite3 read"
    name = f"B6 {what}"
    figures = [
        Figure(f"{name}, connect to first frame", workload, first, "ms", None, "", "<= 10 ms", first <= 10),
        Figure(f"{name}, connect to last frame", workload, last, "ms", None, "", "<= 40 ms", last <= 40),
    ]
    if events == EVENTS:
        figures.append(
            Figure(f"{name}, first to last frame", workload, rest, "ms", floor, beside, "<= 3 x", rest <= 3 * floor)
        )
    return figures
