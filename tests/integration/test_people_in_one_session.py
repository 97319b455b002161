"""Several people in one session: whose commits are whose, and what a client gets who was away."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from outrider.model import commands as c
from outrider.model.ids import SessionId
from outrider.session.policy import Policy
from outrider.session.presence import Watcher
from outrider.session.registry import Registry
from outrider.session.state import State
from outrider.testing.fake_engine import FakeEngine, say, shell, wait_for, write_file
from outrider.testing.playbook import ADA, BOB
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

SEEDS = range(6)


def commits(state: object) -> list[tuple[str, str]]:
    return [(commit.subject, commit.author.name) for commit in state.work.commits]


async def test_commits_are_by_whoever_prompted_their_turn(tmp_path: Path) -> None:
    gate = asyncio.Event()
    plays = {
        "first": [wait_for(gate), write_file("a.txt", "a\n"), shell("git add -A && git commit -qm 'One'")],
        "second": [write_file("b.txt", "b\n"), shell("git add -A && git commit -qm 'Two'")],
        "third": [write_file("c.txt", "c\n")],
    }
    world = SessionWorld(tmp_path, FakeEngine(plays))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "first"))
        await registry.ask(session, c.QueuePrompt(new_prompt("second", BOB)))
        third = new_prompt("thrd", BOB)
        await registry.ask(session, c.QueuePrompt(third))
        await registry.ask(session, c.EditPrompt(third.id, 1, "third", ADA))
        gate.set()
        await turn_end(registry, session, turns=3)
        state = await until(registry, session, stored)
        assert sorted(commits(state)) == [("Finish: third", "Bob"), ("One", "Ada"), ("Two", "Bob")]
        mirror = world.forge.mirror(repository)
        shown = "--format=%an|%cn|%(trailers:key=Co-authored-by)"
        log = await asyncio.to_thread(world.source.git, "-C", str(mirror), "log", "-3", shown, state.branch)
        assert log.split("\n")[0] == "Bob|Bob|Co-authored-by: Ada <ada@example.org>"
        assert [line for line in log.split("\n") if line][1:] == ["Bob|Bob|", "Ada|Ada|"]
        assert "Co-authored-by: Ada <ada@example.org>" in world.engine.prompts[-1][-1]


class AwayClient:
    """A client that loses its line at random moments and resumes from the newest event that it has."""

    def __init__(self, registry: Registry, session: SessionId, random: Random) -> None:
        self.registry, self.session, self.random = registry, session, random
        self.seqs: list[int] = []
        self.bodies: list[str] = []

    async def be_there(self, frames: int, *, until_seq: int | None = None) -> None:
        """Attached for so many frames, or until it has this event."""
        after = self.seqs[-1] if self.seqs else 0
        async with self.registry.attach(self.session, after, Watcher(BOB)) as feed:
            async for raw in feed:
                self.take(raw)
                frames -= 1
                if frames <= 0 if until_seq is None else bool(self.seqs) and self.seqs[-1] >= until_seq:
                    return

    def take(self, raw: bytes) -> None:
        frame = json.loads(raw)
        for recorded in frame.get("events", ()):
            self.seqs.append(recorded["seq"])
            self.bodies.append(json.dumps(recorded))


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_client_that_was_away_gets_exactly_what_it_missed(tmp_path: Path, seed: int) -> None:
    """Long stretches away, with turns, a sleep and a rewind in between: nothing is missed and nothing comes twice."""
    random = Random(seed)
    world = SessionWorld(tmp_path, FakeEngine({"": [say("One. "), say("Two. "), shell("echo x >>x.txt")]}))
    world.policy = Policy(delta_window_seconds=0, commit_window_seconds=0, awake_sessions=random.choice([0, 5]))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "talk"))
        clients = [AwayClient(registry, session, random) for _ in range(4)]
        for turn in range(1, 4):
            async with asyncio.TaskGroup() as tasks:
                for client in random.sample(clients, random.randint(0, len(clients))):
                    tasks.create_task(client.be_there(random.randint(1, 12)))
                await turn_end(registry, session, turns=turn)
                await until(registry, session, lambda state: state.snapshot_due is None)
                if random.random() < 0.5:
                    await registry.ask(session, c.Rewind(str(random.randint(1, turn)), by=ADA))
                await registry.ask(session, c.QueuePrompt(new_prompt(f"again {turn}", random.choice([ADA, BOB]))))
        await turn_end(registry, session, turns=4)
        await until(registry, session, stored)
        events = [json.dumps(json.loads(body)) for body in await registry.events(session, 0, 10_000)]
        for client in clients:
            await client.be_there(0, until_seq=len(events))
            assert client.seqs[: len(events)] == list(range(1, len(events) + 1))
            assert client.bodies[: len(events)] == events


async def test_presence_outlives_a_sleep_and_wakes_nothing(tmp_path: Path) -> None:
    world = SessionWorld(tmp_path, FakeEngine({"": [say("Done.")]}))
    world.policy = Policy(idle_seconds=0.01)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "talk"))
        await until(registry, session, asleep)
    async with running(world.registry()) as registry:
        ada, bob = Watcher(ADA), Watcher(BOB, "terminal")
        async with registry.attach(session, 10_000, ada) as first, registry.attach(session, 10_000, bob) as second:
            await anext(aiter(second))
            told = await presence_of(first, 2)
            assert {one["person"]["name"] for one in told["people"]} == {"Ada", "Bob"}
            bob.types(typing=True)
            while not (told := await presence_of(first, 2))["typing"]:
                pass
            assert told["people"][0]["person"]["name"] == "Bob"
            assert registry.busy.awake == 0


def stored(state: State) -> bool:
    """What is kept is stored: nothing works behind the test's end."""
    return state.snapshot_due is None and bool(state.snapshots) and all(one.stored for one in state.snapshots)


def asleep(state: State) -> bool:
    """Nothing of it runs."""
    return stored(state) and state.turn is None and state.sandbox is not None and not state.sandbox.alive


async def presence_of(frames: AsyncIterator[bytes], count: int) -> dict:
    async for raw in frames:
        frame = json.loads(raw)
        if frame["kind"] == "presence" and frame["count"] == count:
            return frame
    raise AssertionError("the feed ended")
