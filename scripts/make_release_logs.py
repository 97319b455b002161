"""Write the session logs of a release that later releases have to open: run it once for each release.

python scripts/make_release_logs.py tests/unit/storage/fixtures/release-0.1
"""

import asyncio
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from outrider.model.commands import QueuePrompt, Rewind, StopTurn, WithdrawPrompt
from outrider.model.ids import SessionId
from outrider.model.person import Author
from outrider.session.forking import fork
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, say, shell, write_file
from outrider.testing.playbook import BOB
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

ENGINE = {
    "one": [say("I write the first file."), write_file("one.txt", "one\n")],
    "two": [say("And the second."), write_file("two.txt", "two\n"), shell("wc -l *.txt")],
    "wait": [say("This takes long."), shell("sleep 600")],
    "": [],
}


async def play(registry: Registry, world: SessionWorld) -> list[SessionId]:
    """A session with turns of every end, and a fork of it."""
    repository = await world.begin()
    session = await registry.create(new_session(repository, world.source.head(), "one"))
    await turn_end(registry, session)
    await registry.ask(session, QueuePrompt(new_prompt("two", by=BOB)))
    await turn_end(registry, session, turns=2)
    await until(registry, session, lambda state: [kept.stored for kept in state.snapshots] == [True, True])
    await registry.ask(session, QueuePrompt(new_prompt("wait")))
    later = new_prompt("never")
    await registry.ask(session, QueuePrompt(later))
    await registry.ask(session, WithdrawPrompt(later.id, by=later.author.person))
    await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
    await registry.ask(session, StopTurn(by=BOB))
    await turn_end(registry, session, turns=3)
    await until(registry, session, lambda state: state.snapshot_due is None and not state.turn)
    await registry.ask(session, Rewind("1", by=BOB))
    child = await fork(registry, session, "2", Author(person=BOB), world.clock)
    await registry.ask(child, QueuePrompt(new_prompt("one")))
    await turn_end(registry, child)
    return [session, child]


async def cut_off(registry: Registry, world: SessionWorld) -> SessionId:
    """A session whose server is killed in the middle of a turn, while more waits."""
    repository = await world.begin()
    session = await registry.create(new_session(repository, world.source.head(), "wait"))
    await registry.ask(session, QueuePrompt(new_prompt("two", by=BOB)))
    await until(registry, session, lambda state: bool(state.turn and state.turn.handed and state.queue))
    await world.killed()
    return session


async def make(target: Path, folder: Path) -> None:
    """Play, then copy each log as one file."""
    world = SessionWorld(folder, FakeEngine(ENGINE))
    async with running(world.registry()) as registry:
        sessions = await play(registry, world)
        killed = await cut_off(registry, world)
    logs = [*(folder / "sessions" / session for session in sessions), folder / "at the kill" / killed]
    for name, place in zip(("rewound", "forked", "running"), logs, strict=True):
        log = place / "log.sqlite"
        with closing(sqlite3.connect(log)) as db, db:
            rows = db.execute("SELECT seq, body FROM event").fetchall()
            changed = [(body.replace(str(folder).encode(), b"/srv/outrider"), seq) for seq, body in rows]
            db.executemany("UPDATE event SET body = ? WHERE seq = ?", changed)
        with closing(sqlite3.connect(log)) as db:
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(log, target / f"{name}.sqlite")


def main() -> None:
    """Into the folder that is named."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make(target, Path(folder)))


if __name__ == "__main__":
    main()
