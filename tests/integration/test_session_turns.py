"""A session from prompt to pull request: real log, real git, real processes, a scripted engine."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt, SteerNow, StopTurn
from outrider.model.errors import EngineError
from outrider.model.events import RECORDED, TurnEndReason
from outrider.model.ids import SessionId
from outrider.model.proof import ProofVerdict
from outrider.model.repository import Repository
from outrider.ports.engine import EngineLaunch, EngineListener
from outrider.ports.sandbox import Guest
from outrider.session.registry import Registry
from outrider.session.result import result
from outrider.session.tool_logs import LOG_BYTES
from outrider.testing.fake_engine import (
    SAVED,
    DyingEngine,
    FakeEngine,
    FakeSession,
    Stage,
    die,
    fail,
    hang,
    say,
    shell,
    wait_for,
    write_file,
)
from outrider.testing.playbook import ADA, BOB
from outrider.testing.session_world import (
    SECRET,
    SessionWorld,
    new_prompt,
    new_session,
    running,
    turn_end,
    until,
)

MEND = [say("I mend it."), write_file("sum.txt", "2\n"), shell("git add -A && git commit -qm 'Mend the sum'")]


class Server:
    """A running registry with one repository."""

    def __init__(self, world: SessionWorld, repository: Repository, registry: Registry) -> None:
        self.world, self.repository, self.registry = world, repository, registry

    async def start(self, text: str = "mend it") -> SessionId:
        return await self.registry.create(new_session(self.repository, self.world.source.head(), text))

    async def events(self, session: SessionId) -> list:
        return [RECORDED.validate_json(body).event for body in await self.registry.events(session, 0, 10_000)]

    async def types(self, session: SessionId) -> list[str]:
        return [event.type for event in await self.events(session)]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine({"mend": MEND, "": [say("Nothing to do.")]})


@pytest.fixture
async def stage(tmp_path: Path, engine: FakeEngine) -> AsyncIterator[Server]:
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        yield Server(world, repository, registry)


async def test_a_prompt_becomes_a_pull_request(stage: Server):
    session = await stage.start()
    end = await turn_end(stage.registry, session)
    assert end.reason is TurnEndReason.COMPLETED
    assert end.message.startswith("It is fix_proved. Pull request #1: http://localhost:4100/pulls/demo/1")
    told = result(await stage.registry.state(session))
    assert told.ok
    assert told.branch == f"outrider/{session}/work"
    assert [(commit.subject, commit.author) for commit in told.commits] == [("Mend the sum", "Ada <ada@example.org>")]
    assert told.pull_request.number == 1
    assert [check.exit_code for check in told.checks] == [0]
    [pull] = await stage.world.forge.pull_requests()
    assert (pull.title, pull.head_commit) == ("Mend the sum", told.commits[0].sha)


async def test_what_was_asked_and_said_is_found(stage: Server):
    session = await stage.start()
    await turn_end(stage.registry, session)
    await stage.world.search.until_reached(session, len(await stage.events(session)))
    for words in ("mend it", "I mend"):
        assert session in {hit.session for hit in await stage.world.search.find(words, 10)}


async def test_what_is_left_over_is_committed_for_the_person(stage: Server, engine: FakeEngine):
    engine.plays = {"": [write_file("new.txt", "x\n")]}
    session = await stage.start("write a file")
    await turn_end(stage.registry, session)
    state = await stage.registry.state(session)
    assert state.work.leftovers_committed
    assert [(commit.subject, commit.author.name) for commit in state.work.commits] == [("Finish: write a file", "Ada")]


async def test_a_turn_that_changes_nothing_says_so(stage: Server):
    session = await stage.start("look around")
    end = await turn_end(stage.registry, session)
    assert (end.reason, end.message) == (TurnEndReason.COMPLETED, "Nothing was changed.")
    assert await stage.world.forge.pull_requests() == []


async def test_red_checks_go_back_to_the_engine(stage: Server, engine: FakeEngine):
    stage.world.prover.verdicts = [ProofVerdict.RED, ProofVerdict.FIX_PROVED]
    again = [write_file("sum.txt", "3\n"), shell("git commit -qam 'Really mend it'")]
    engine.plays = {"checks are red": again, "mend": MEND}
    session = await stage.start()
    await turn_end(stage.registry, session)
    assert len(engine.opened) == 1
    assert "$ make test\n1 failed" in engine.prompts[1][0]
    assert (await stage.registry.state(session)).proof.verdict is ProofVerdict.FIX_PROVED


async def test_the_queue_is_answered_in_order_by_one_engine(stage: Server, engine: FakeEngine):
    gate = asyncio.Event()
    engine.plays = {"first": [wait_for(gate)], "": []}
    session = await stage.start("first")
    for text in ("second", "third"):
        await stage.registry.ask(session, QueuePrompt(new_prompt(text, by=BOB)))
    gate.set()
    await turn_end(stage.registry, session, turns=3)
    assert [texts[-1] for texts in engine.prompts] == ["first", "second", "third"]
    assert len(engine.opened) == 1


async def test_stop_while_the_checks_run(stage: Server):
    stage.world.prover.gate = asyncio.Event()
    session = await stage.start()
    await until(stage.registry, session, lambda state: state.proving is not None)
    await stage.registry.ask(session, StopTurn(by=BOB))
    end = await turn_end(stage.registry, session)
    assert end.reason is TurnEndReason.STOPPED
    assert "pushed to" in end.message
    assert stage.world.prover.cancelled == 1
    assert await stage.world.forge.pull_requests() == []


async def test_steering_runs_the_prompt_next(stage: Server, engine: FakeEngine):
    engine.plays = {"first": [hang()], "": []}
    session = await stage.start("first")
    prompts = [new_prompt("second"), new_prompt("third")]
    for prompt in prompts:
        await stage.registry.ask(session, QueuePrompt(prompt))
    await stage.registry.ask(session, SteerNow(prompts[1].id, by=ADA))
    await turn_end(stage.registry, session, turns=3)
    assert [texts[-1] for texts in engine.prompts][-2:] == ["third", "second"]


@pytest.mark.parametrize("engine", [DyingEngine()])
async def test_an_engine_that_always_dies_fails_the_turn(stage: Server, engine: FakeEngine):
    session = await stage.start()
    end = await turn_end(stage.registry, session)
    assert end.reason is TurnEndReason.FAILED
    assert "exit code 137" in end.message
    assert len(engine.prompts) == 3
    types = await stage.types(session)
    assert types.count("turn_interrupted") == 3
    assert types.count("text_sealed") == 3


async def test_an_engine_that_dies_once_is_resumed_and_told(stage: Server, engine: FakeEngine):
    engine.plays = {"was interrupted": MEND, "mend": [say("I begin."), die()]}
    session = await stage.start()
    end = await turn_end(stage.registry, session)
    assert end.reason is TurnEndReason.COMPLETED
    assert "was interrupted" in engine.prompts[1][0]
    assert engine.prompts[1][-1] == "mend it"
    assert engine.opened[1].resume == engine.sessions[0].id


async def test_a_model_that_refuses_is_not_tried_again(stage: Server, engine: FakeEngine):
    engine.plays = {"": [fail("The API key is not valid.")]}
    session = await stage.start()
    end = await turn_end(stage.registry, session)
    assert end.message == "The API key is not valid. Nothing had been changed."
    assert len(engine.prompts) == 1


async def test_a_lost_sandbox_is_started_again_with_its_files(stage: Server, engine: FakeEngine):
    async def lose(guest_stage: Stage) -> None:
        [info] = await stage.world.sandboxes.list({})
        await stage.world.sandboxes.die(info.handle)
        await asyncio.Event().wait()

    engine.plays = {"was interrupted": [shell("git add -A && git commit -qm Kept")], "": [write_file("a", "x\n"), lose]}
    session = await stage.start()
    end = await turn_end(stage.registry, session)
    assert end.reason is TurnEndReason.COMPLETED
    types = await stage.types(session)
    assert types.count("sandbox_lost") == 1
    state = await stage.registry.state(session)
    assert [commit.subject for commit in state.work.commits] == ["Kept"]


async def test_the_engine_asks_for_checks_and_for_the_pull_request(stage: Server, engine: FakeEngine):
    answers: list[str] = []

    async def ask_tools(guest_stage: Stage) -> None:
        tools = stage.world.broker.doors[0].tools
        answers.append(await tools.run_checks())
        answers.append(await tools.open_pull_request("My title", "My words"))

    engine.plays = {"": [*MEND, ask_tools]}
    session = await stage.start()
    await turn_end(stage.registry, session)
    assert answers[0].startswith("fix_proved: It is fix_proved.")
    assert answers[1] == "http://localhost:4100/pulls/demo/1"
    [pull] = await stage.world.forge.pull_requests()
    assert (pull.title, pull.body) == ("My title", "My words")
    assert len(stage.world.prover.asked) == 1


async def test_no_secret_is_stored_even_in_pieces(stage: Server, engine: FakeEngine):
    engine.plays = {"": [say(f"The key is {SECRET}, I think."), shell(f"echo {SECRET}")]}
    session = await stage.start()
    await turn_end(stage.registry, session)
    stored = b"".join(await stage.registry.events(session, 0, 10_000)).decode()
    assert SECRET not in stored
    assert "The key is [redacted], I think." in stored
    assert "echo [redacted]" in stored


async def test_setup_that_fails_is_said_and_the_turn_goes_on(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    recipe = 'setup = ["echo about to fail", "echo no such thing; exit 3", "touch never"]\n'
    world.source.commit("Recipe", {"outrider.toml": recipe})
    repository = await world.begin()
    async with running(world.registry()) as registry:
        stage = Server(world, repository, registry)
        session = await stage.start()
        end = await turn_end(registry, session)
        assert end.reason is TurnEndReason.COMPLETED
        [said] = [event for event in await stage.events(session) if event.type == "stage_reported" and event.failed]
        assert said.text == "`echo no such thing; exit 3` ended with exit code 3:\nno such thing"


async def test_a_wrong_recipe_is_said_and_the_turn_goes_on(tmp_path: Path, engine: FakeEngine):
    world = SessionWorld(tmp_path, engine)
    world.source.commit("Recipe", {"outrider.toml": "setup = 3\n"})
    repository = await world.begin()
    async with running(world.registry()) as registry:
        stage = Server(world, repository, registry)
        session = await stage.start()
        assert (await turn_end(registry, session)).reason is TurnEndReason.COMPLETED
        assert "problem_reported" in await stage.types(session)


class SpoiledEngine(FakeEngine):
    """Its folder, once it is spoiled, keeps it from starting, or from working."""

    spoiled = ""

    async def open(self, guest: Guest, launch: EngineLaunch, listener: EngineListener) -> FakeSession:
        if launch.fresh_home:
            self.spoiled = ""
        if self.spoiled == "starting":
            raise EngineError("The engine fake ended with exit code 1.")
        self.plays = {"": [die()]} if self.spoiled else {"": [say("I look.")]}
        return await super().open(guest, launch, listener)


@pytest.mark.parametrize("spoiled", ["starting", "working"])
async def test_a_spoiled_folder_of_the_engine_is_put_aside(tmp_path: Path, spoiled: str):
    engine = SpoiledEngine({})
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        stage = Server(world, repository, registry)
        session = await stage.start("first")
        await turn_end(registry, session)
        engine.spoiled = spoiled
        await engine.sessions[-1].close()  # as where the agent kills its engine
        await registry.ask(session, QueuePrompt(new_prompt("more")))
        assert (await turn_end(registry, session, turns=2)).reason is TurnEndReason.COMPLETED
        events = await stage.events(session)
    assert [event.how for event in events if event.type == "engine_attached"][-1] == "reseeded"
    assert engine.opened[-1].fresh_home
    assert any("put aside" in event.sentence for event in events if event.type == "problem_reported")
    assert "first" in engine.prompts[-1][0]  # the story so far


async def test_changed_files_are_told_while_the_turn_runs(tmp_path: Path):
    gate = asyncio.Event()
    engine = FakeEngine({"": [write_file("new.txt", "1\n2\n"), wait_for(gate)]})
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "write"))
        assert await registry.changed_files.of(session) is None
        async with registry.attach(session, 0) as frames:
            async for frame in frames:
                told = json.loads(frame)
                if told["kind"] == "changes" and told["changes"]:  # the first one says that none is known yet
                    break
        gate.set()
        await turn_end(registry, session)
        known = await registry.changed_files.of(session)
    assert [(file["path"], file["kind"], file["added"]) for file in told["changes"]["files"]] == [
        ("new.txt", "added", 2)
    ]
    assert known is not None
    assert known.files[0].path == "new.txt"
    async with running(world.registry()) as registry:
        after = await registry.changed_files.of(session)
    assert after is not None
    assert [file.path for file in after.files] == ["new.txt"], "from its commits, after a restart"


async def test_output_that_is_too_long_is_kept_as_an_artifact(tmp_path: Path):
    spoken = f"yes {SECRET} | head -n 400000 > ../full; echo '{SAVED}'$(realpath ../full)"
    world = SessionWorld(tmp_path, FakeEngine({"": [shell(spoken)]}))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "print"))
        await turn_end(registry, session)
        told = [RECORDED.validate_json(body).event for body in await registry.events(session, 0, 500)]
    [kept] = [event for event in told if event.type == "tool_log_kept"]
    data, media_type = await world.blobs.get(session, kept.artifact)
    assert (kept.bytes, kept.whole) == (400_000 * (len(SECRET) + 1), False)
    assert len(data) <= LOG_BYTES + 100_000
    assert SECRET.encode() not in data
    assert media_type.startswith("text/plain")
