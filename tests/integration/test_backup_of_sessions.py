"""A backup of sessions that are at work, and how they go on from it in another home."""

import asyncio
import shutil
from pathlib import Path

from outrider.app.backup.restoring import restore
from outrider.app.backup.writing import Backup, Source
from outrider.app.home import Home
from outrider.integrations.builtin.forge import BuiltinForge
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.model.commands import QueuePrompt
from outrider.model.events import ProblemReported, Recorded, SandboxReady
from outrider.model.ids import SessionId
from outrider.model.sandbox import GUEST_HOME
from outrider.session.effects.checkout import REPOSITORY_URL
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, write_file
from outrider.testing.session_world import (
    BASE_LAYER,
    TOOLBOX_LAYER,
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
    until,
)

SESSIONS = 3
NAMES = tuple(f"note-{number}" for number in range(12))


def engine() -> FakeEngine:
    """Writes one file a prompt."""
    return FakeEngine({name: [write_file(f"{name}.txt", name)] for name in NAMES} | {"": []})


async def keep_busy(registry: Registry, session: SessionId, busy: asyncio.Event) -> None:
    """Prompt after prompt, until told to stop."""
    for number, name in enumerate(NAMES[1:], start=2):
        await registry.ask(session, QueuePrompt(new_prompt(name)))
        await turn_end(registry, session, turns=number)
        busy.set()


async def back_up(world: SessionWorld, archive: Path) -> None:
    """Into a file, piece by piece."""
    backup = Backup(Source(world.folder, world.clock, store=world.snapshots.store))
    with await asyncio.to_thread(archive.open, "wb") as file:
        async for piece in backup.stream():
            await asyncio.to_thread(file.write, piece)


async def elsewhere(old: SessionWorld, archive: Path, folder: Path) -> SessionWorld:
    """The world of another machine: what is made anew there, and the rest from the backup."""
    home = Home(folder)
    with home.claim(restoring=True):
        await restore(archive, home, None, lambda done, of: None)
    world = SessionWorld(folder, engine(), old.clock)
    world.quarantine = GitQuarantine(folder / "quarantine")
    world.forge = BuiltinForge(folder / "forge", old.catalog, world.clock, public_base=lambda: "http://localhost:4100")
    for layer in (BASE_LAYER, TOOLBOX_LAYER):
        place = Path("sandboxes/layers", layer)
        await asyncio.to_thread(shutil.copytree, old.folder / place, folder / place)
    [repository] = await world.forge.repositories()
    config = folder / "sandboxes/layers" / BASE_LAYER / GUEST_HOME.lstrip("/") / ".gitconfig"
    mirror = world.forge.mirror(repository)
    await asyncio.to_thread(config.write_text, f'[url "{mirror}"]\n\tinsteadOf = {REPOSITORY_URL}\n')
    return world


async def test_sessions_that_work_while_they_are_backed_up_go_on_elsewhere(tmp_path: Path):
    world = SessionWorld(tmp_path / "home", engine())
    repository = await world.begin()
    archive = tmp_path / "backup.tar"
    async with running(world.registry()) as registry:
        first = [await registry.create(new_session(repository, world.source.head(), NAMES[0])) for _ in range(SESSIONS)]
        for session in first:
            await turn_end(registry, session)
            await until(registry, session, lambda state: bool(state.snapshots) and state.snapshots[-1].stored)
        busy = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(keep_busy(registry, session, busy)) for session in first]
            await busy.wait()
            await back_up(world, archive)
            for task in working:
                task.cancel()
    other = await elsewhere(world, archive, tmp_path / "other")
    async with running(other.registry()) as registry:
        for session in first:
            state = await until(registry, session, lambda state: state.turn is None and not state.queue)
            before = state.turns
            assert before >= 1
            await registry.ask(session, QueuePrompt(new_prompt("look around")))
            end = await turn_end(registry, session, turns=before + 1)
            assert end.reason.value == "completed", end.message
            events = [Recorded.model_validate_json(row).event for row in await registry.events(session, 0, 2000)]
            assert [event.how for event in events if isinstance(event, SandboxReady)][-1] == "restored"
            said = [event.sentence for event in events if isinstance(event, ProblemReported)]
            assert not [sentence for sentence in said if "cannot be restored" in sentence]
            [box] = [
                box
                for box in (other.folder / "sandboxes/boxes").iterdir()
                if session in (box / "saved.json").read_text()
            ]
            files = {path.name for path in (box / "root/workspace").glob("*.txt")}
            assert {f"{NAMES[0]}.txt", "sum.txt"} <= files
