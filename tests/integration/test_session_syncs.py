"""Reading while syncing: a session that starts from its repository's image, whose files may be older than its own."""

import asyncio
from pathlib import Path

import pytest

from outrider.model import events as e
from outrider.model.commands import QueuePrompt, StopTurn
from outrider.model.ids import CommitId, SessionId
from outrider.model.repository import Repository
from outrider.model.sandbox import GUEST_HOME, WORKSPACE
from outrider.ports.sandbox import ExecSpec
from outrider.session.policy import Policy
from outrider.session.registry import Registry
from outrider.testing.fake_engine import FakeEngine, Stage, hang, shell, write_file
from outrider.testing.playbook import ADA
from outrider.testing.repository_image import make_image
from outrider.testing.session_world import (
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
    until,
)

COMMIT = shell("git add -A && git commit -qm 'Mend the sum'")
RETOLD = "While you were reading"
SETUP = 'setup = ["cat sum.txt >>$HOME/set-up.log"]\nsetup_inputs = ["lock.txt"]\n'


class Start:
    """A world with an image of its repository's first commits, and a branch that moves on. Every fetch in a sandbox
    stands still until it is let go."""

    def __init__(self, folder: Path) -> None:
        self.world = SessionWorld(folder, FakeEngine({"": []}))
        self.engine = self.world.engine
        self.read: list[str] = []

    async def begin(self, *, script: str = ":", setup: str = "") -> Repository:
        """Lay the image down; `script` runs in its checkout."""
        if setup:
            self.world.source.commit("Set up", {"outrider.toml": setup, "lock.txt": "1\n"})
        self.repository = await self.world.begin()
        self.old = self.world.source.head()
        await make_image(self.world, self.repository, self.old, script)
        await asyncio.to_thread(self._hold)
        return self.repository

    def _hold(self) -> None:
        folder = self.world.folder
        hook = folder / "hold.sh"
        hook.write_text(f'#!/bin/sh\ntouch {folder}/held\nuntil [ -e {folder}/go ]; do sleep 0.02; done\nexec "$@"\n')
        hook.chmod(0o755)
        for layer in (folder / "sandboxes" / "layers").iterdir():
            config = layer / GUEST_HOME.lstrip("/") / ".gitconfig"
            if config.exists():
                config.write_text(f"{config.read_text()}[uploadpack]\n\tpackObjectsHook = {hook}\n")

    async def held(self) -> None:
        """Wait until a fetch stands still."""
        script = f"until [ -e {self.world.folder}/held ]; do sleep 0.02; done"
        process = await asyncio.create_subprocess_exec("sh", "-c", script)
        assert await process.wait() == 0

    def let_go(self) -> None:
        """Fetches go on."""
        (self.world.folder / "go").touch()

    def move(self, files: dict[str, str] | None = None) -> CommitId:
        """The branch moves on."""
        head = self.world.source.commit("Move on", files or {"sum.txt": "new\n"})
        self.publish()
        return head

    def publish(self) -> None:
        """What is committed is on the forge."""
        self.world.source.git("push", "--quiet", str(self.world.forge.mirror(self.repository)), "main")

    async def look(self, stage: Stage) -> None:
        """A step that reads, and asks nobody."""
        self.read.append(await self.shown(stage, "cat sum.txt"))

    async def shown(self, stage: Stage, script: str) -> str:
        """What a script prints in the workspace."""
        spec = ExecSpec(argv=["sh", "-c", script], cwd=WORKSPACE)
        return (await stage.guest.run(spec)).output.decode()

    async def session(self, registry: Registry, prompt: str = "mend it") -> SessionId:
        """A session at the newest commit."""
        return await registry.create(new_session(self.repository, self.world.source.head(), prompt))


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


async def events(registry: Registry, session: SessionId) -> list[e.Event]:
    return [e.RECORDED.validate_json(body).event for body in await registry.events(session, 0, 10_000)]


async def the(registry: Registry, session: SessionId, kind: str) -> e.Event:
    [event] = [event for event in await events(registry, session) if event.type == kind]
    return event


async def test_the_engine_reads_at_once_and_edits_current_files(start: Start):
    await start.begin()
    start.move({"sum.txt": "new\n", "other.txt": "x\n"})

    async def let_go(stage: Stage) -> None:
        await start.held()
        start.let_go()

    start.engine.plays = {
        RETOLD: [start.look, shell("echo more >>sum.txt"), COMMIT],
        "mend": [start.look, let_go, write_file("sum.txt", "made from old\n")],
    }
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        end = await turn_end(registry, session)
        state = await registry.state(session)
        told = await events(registry, session)
    assert end.reason is e.TurnEndReason.COMPLETED
    assert start.read == ["1\n", "new\n"]
    assert [commit.subject for commit in state.work.commits] == ["Mend the sum"]
    assert [change.path for change in state.work.files] == ["sum.txt"]
    kinds = [event.type for event in told]
    assert kinds.index("prompt_handed") < kinds.index("sync_finished") < kinds.index("permission_decided")
    finished = next(event for event in told if event.type == "sync_finished")
    assert (finished.moved, finished.from_commit, finished.files) == (True, start.old, ("other.txt", "sum.txt"))
    ready = next(event for event in told if event.type == "sandbox_ready")
    assert (ready.how, ready.commit) == ("image", start.old)
    assert "other.txt" in start.engine.prompts[1][0]
    assert kinds.count("engine_told") == kinds.count("prompt_handed") == 1


async def test_an_image_of_the_same_commit_needs_no_fetch_and_no_setup(start: Start):
    await start.begin(setup=SETUP)
    start.engine.plays = {"mend": [write_file("sum.txt", "2\n"), COMMIT]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await until(registry, session, lambda state: state.synced)
        start.let_go()
        assert (await turn_end(registry, session)).reason is e.TurnEndReason.COMPLETED
        finished = await the(registry, session, "sync_finished")
        state = await registry.state(session)
    assert (finished.moved, finished.setup_ran) == (False, False)
    assert [commit.subject for commit in state.work.commits] == ["Mend the sum"]
    assert len(start.engine.prompts) == 1


@pytest.mark.parametrize(
    ("files", "again"),
    [
        ({"sum.txt": "2\n"}, False),
        ({"lock.txt": "2\n"}, True),
        ({"outrider.toml": SETUP.replace("cat", "tac")}, True),
    ],
)
async def test_setup_runs_again_where_what_it_depends_on_has_changed(start: Start, files: dict[str, str], again: bool):
    await start.begin(setup=SETUP)
    start.move(files)
    start.let_go()
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await turn_end(registry, session)
        finished = await the(registry, session, "sync_finished")
        stages = [event.text for event in await events(registry, session) if event.type == "stage_reported"]
    assert finished.setup_ran is again
    assert ("1 setup command done." in stages) is again


async def test_an_engine_that_does_not_ask_gets_its_prompt_after_the_sync(start: Start):
    await start.begin()
    start.move()
    start.engine.asks = False
    start.engine.plays = {"mend": [start.look, write_file("sum.txt", "2\n"), COMMIT]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await start.held()
        await until(registry, session, lambda state: state.engine_session is not None)
        assert not start.engine.prompts
        start.let_go()
        await turn_end(registry, session)
        kinds = [event.type for event in await events(registry, session)]
    assert start.read == ["new\n"]
    assert kinds.index("sync_finished") < kinds.index("prompt_handed")


async def test_an_answer_from_reading_alone_waits_for_the_sync_and_the_next_prompt_tells(start: Start):
    await start.begin()
    start.move()
    start.engine.plays = {"mend": [start.look], "": [shell("cat sum.txt")]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await until(registry, session, lambda state: state.turn is not None and state.turn.phase.value == "collecting")
        await start.held()
        start.let_go()
        assert (await turn_end(registry, session)).message == "Nothing was changed."
        await registry.ask(session, QueuePrompt(new_prompt("again")))
        await turn_end(registry, session, turns=2)
    assert start.engine.prompts[1][0].startswith(RETOLD)
    assert start.engine.prompts[1][1] == "again"


async def test_files_of_the_image_that_are_in_the_way_give_way_and_are_kept(start: Start):
    await start.begin(setup=SETUP, script="echo changed >sum.txt; mkdir deep; echo mine >deep/file; echo x >made")
    start.move({"sum.txt": "new\n", "deep/file": "theirs\n", "made/file": "theirs\n"})
    start.let_go()
    seen: dict[str, str] = {}

    async def compare(stage: Stage) -> None:
        for name in ("sum.txt", "deep/file", "made/file"):
            seen[name] = await start.shown(stage, f"cat {name}")
        seen["kept"] = await start.shown(stage, "cd $HOME/.outrider/in-the-way; cat sum.txt deep/file made")

    start.engine.plays = {RETOLD: [shell("true"), compare], "mend": [shell("true"), compare]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await turn_end(registry, session)
        problem = await the(registry, session, "problem_reported")
        finished = await the(registry, session, "sync_finished")
    assert seen == {
        "sum.txt": "new\n",
        "deep/file": "theirs\n",
        "made/file": "theirs\n",
        "kept": "changed\nmine\nx\n",
    }
    assert problem.sentence.startswith("3 files of the image")
    assert "gitignore" in problem.remedy
    assert finished.setup_ran


async def test_what_setup_wrote_beside_the_branch_stays(start: Start):
    await start.begin(script="echo built >built.txt; echo y >>sum.txt")
    start.move({"other.txt": "new\n"})
    start.let_go()
    start.engine.plays = {RETOLD: [shell("true"), start.look], "mend": [shell("true"), start.look]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await turn_end(registry, session)
        assert not [event for event in await events(registry, session) if event.type == "problem_reported"]
    assert start.read == ["1\ny\n"]


async def test_a_commit_that_is_gone_ends_the_turn_clearly_and_the_next_prompt_tries_again(start: Start):
    await start.begin()
    start.world.source.commit("Not on the forge", {"sum.txt": "2\n"})
    start.let_go()
    start.engine.plays = {"again": [start.look], "": [hang()]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        end = await turn_end(registry, session)
        start.publish()
        await registry.ask(session, QueuePrompt(new_prompt("again")))
        again = await turn_end(registry, session, turns=2)
    assert end.reason is e.TurnEndReason.FAILED
    assert "does not have the commit" in end.message
    assert "start a new session, or push the commit" in end.message
    assert again.reason is e.TurnEndReason.COMPLETED


async def test_a_sync_that_hangs_ends_the_turn_clearly_and_the_next_prompt_tries_again(start: Start):
    await start.begin()
    start.move()
    start.world.policy = Policy(delta_window_seconds=0, commit_window_seconds=0, sync_seconds=1.0)
    start.engine.plays = {"again": [start.look], "": [hang()]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        end = await turn_end(registry, session)
        start.let_go()
        await registry.ask(session, QueuePrompt(new_prompt("again")))
        await until(registry, session, lambda state: state.synced)
    assert end.reason is e.TurnEndReason.FAILED
    assert "took too long" in end.message
    assert "Prompt again" in end.message


async def test_a_stop_while_syncing_ends_the_turn_and_leaves_nothing_in_the_way(start: Start):
    await start.begin()
    start.move()
    start.engine.plays = {"again": [start.look, write_file("b.txt", "1\n"), COMMIT], "": [write_file("a.txt", "1\n")]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
        await start.held()
        await registry.ask(session, StopTurn(by=ADA))
        end = await turn_end(registry, session)
        start.let_go()
        await registry.ask(session, QueuePrompt(new_prompt("again")))
        await turn_end(registry, session, turns=2)
        state = await registry.state(session)
    assert end.reason is e.TurnEndReason.STOPPED
    assert [change.path for change in state.work.files] == ["b.txt"]


async def test_a_server_killed_while_syncing_goes_on_where_it_was(start: Start):
    await start.begin()
    start.move()
    work = [shell("true"), start.look, shell("echo more >>sum.txt"), COMMIT]
    start.engine.plays = {RETOLD: work, "was interrupted": work, "mend": [hang()]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
        await start.held()
        await start.world.killed()
    await start.world.restore()
    start.let_go()
    async with running(start.world.registry()) as registry:
        await turn_end(registry, session)
        state = await registry.state(session)
        ready = [event.how for event in await events(registry, session) if event.type == "sandbox_ready"]
    assert ready == ["image", "adopted"]
    assert start.read[-1:] == ["new\n"]
    assert [change.path for change in state.work.files] == ["sum.txt"]


async def test_a_sandbox_lost_while_syncing_is_started_and_synced_again(start: Start):
    await start.begin()
    start.move()
    work = [write_file("a.txt", "1\n"), COMMIT]
    start.engine.plays = {RETOLD: work, "was interrupted": work, "mend": [hang()]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
        await start.held()
        [info] = await start.world.sandboxes.list({"session": session})
        await start.world.sandboxes.stop(info.handle)
        start.let_go()
        assert (await turn_end(registry, session)).reason is e.TurnEndReason.COMPLETED
        kinds = [event.type for event in await events(registry, session)]
        state = await registry.state(session)
    assert kinds.count("sandbox_lost") == kinds.count("sync_finished") == 1
    assert [change.path for change in state.work.files] == ["a.txt"]


async def test_a_clone_is_set_up_while_the_engine_reads(start: Start):
    setup = f"until [ -e {start.world.folder}/go ]; do :; done"
    start.world.source.commit("Set up", {"outrider.toml": f'setup = ["{setup}"]'})
    start.repository = await start.world.begin()

    async def let_go(stage: Stage) -> None:
        start.let_go()

    start.engine.plays = {"mend": [start.look, let_go, write_file("sum.txt", "2\n"), COMMIT]}
    async with running(start.world.registry()) as registry:
        session = await start.session(registry)
        await turn_end(registry, session)
        kinds = [event.type for event in await events(registry, session)]
        finished = await the(registry, session, "sync_finished")
    assert start.read == ["1\n"]
    assert kinds.index("prompt_handed") < kinds.index("sync_finished") < kinds.index("permission_decided")
    assert (finished.moved, finished.setup_ran) == (False, True)
