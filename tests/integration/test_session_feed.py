"""The feed of a registry: any number of clients, late ones, slow ones, sleeping sessions, long logs."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt
from outrider.model.errors import NotFound
from outrider.model.events import ProblemReported, Recorded
from outrider.model.ids import SessionId
from outrider.session.policy import Policy
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.fake_engine import FakeEngine, say, wait_for
from outrider.testing.manual_clock import START, ManualClock
from outrider.testing.playbook import session_created
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, running, turn_end, until

LONG = SessionId("s-longlonglo")


def long_log(folder: Path, length: int) -> None:
    """A session with so many events."""
    log = SqliteSessionLogs(folder / "sessions").create(LONG)
    first = Recorded(seq=1, at=START, event=session_created(LONG))
    problem = ProblemReported(sentence="x" * 250)
    log.append([first, *(Recorded(seq=seq, at=START, event=problem) for seq in range(2, length + 1))])
    log.close()


async def follow(frames: AsyncIterator[bytes]) -> tuple[list[int], str]:
    """What a client has at the end: the numbers of the events, and the text of the only message."""
    seqs: list[int] = []
    text = ""
    async for raw in frames:
        frame = json.loads(raw)
        match frame["kind"]:
            case "events":
                seqs += [record["seq"] for record in frame["events"]]
                sealed = [record["event"] for record in frame["events"] if record["event"]["type"] == "text_sealed"]
                for event in sealed:
                    text = text[: event["offset"]] + event["text"] + text[event["offset"] + len(event["text"]) :]
                if any(record["event"]["type"] == "turn_ended" for record in frame["events"]):
                    break
            case "drafts":
                for draft in frame["drafts"]:
                    text = text[: draft["offset"]] + draft["text"]
            case "delta" if frame["offset"] >= len(text):
                assert frame["offset"] == len(text)
                text += frame["text"]
    return seqs, text


async def watch(registry: object, session: SessionId) -> tuple[list[int], str]:
    async with registry.attach(session, 0) as frames:
        return await follow(frames)


async def test_early_and_late_clients_end_with_the_same(tmp_path: Path):
    first, second = asyncio.Event(), asyncio.Event()
    steps = [say("One two three. ") for _ in range(1)]
    engine = FakeEngine({"": [*steps, wait_for(first), wait_for(second)]})
    world = SessionWorld(tmp_path, engine)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "talk"))
        async with asyncio.TaskGroup() as tasks:
            early = tasks.create_task(watch(registry, session), name="early")
            await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
            late = tasks.create_task(watch(registry, session), name="late")
            first.set()
            later = tasks.create_task(watch(registry, session), name="later")
            second.set()
        last = (await registry.state(session)).seq
    for client in (early, late, later):
        seqs, text = client.result()
        assert seqs == list(range(1, last + 1))
        assert text == "One two three. "


async def test_a_late_client_gets_the_text_that_is_not_stored_yet(tmp_path: Path):
    gate = asyncio.Event()
    engine = FakeEngine({"": [say("Half a sen"), wait_for(gate)]})
    world = SessionWorld(tmp_path, engine, clock=ManualClock())
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "talk"))
        await _heard(registry, session, "Half a sen")
        async with registry.attach(session, 0) as frames:
            kinds = [json.loads(await anext(frames)) for _ in range(4)]
        assert [draft["text"] for draft in kinds[1]["drafts"]] == ["Half a sen"]
        assert not any(b"text_sealed" in body for body in await registry.events(session, 0, 500))
        world.clock.advance(2.5)
        await until(registry, session, lambda state: state.seq > kinds[3]["seq"])
        assert any(b"text_sealed" in body for body in await registry.events(session, 0, 500))
        gate.set()
        await turn_end(registry, session)


async def test_a_sleeping_session_can_be_watched_and_wakes_under_its_clients(tmp_path: Path):
    engine = FakeEngine({"": []})
    world = SessionWorld(tmp_path, engine)
    world.policy = Policy(idle_seconds=0.05, rest_seconds=0)
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        await until(registry, session, lambda state: state.turns == 1 and state.turn is None)
    async with running(world.registry()) as registry, registry.attach(session, 0) as frames:
        task_end = asyncio.Event()

        async def read() -> list[int]:
            seqs, ends = [], 0
            async for raw in frames:
                frame = json.loads(raw)
                for record in frame.get("events", ()):
                    seqs.append(record["seq"])
                    ends += record["event"]["type"] == "turn_ended"
                if ends == 2:
                    task_end.set()
                    return seqs
            return seqs

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(read(), name="reader")
            await registry.ask(session, QueuePrompt(new_prompt("again")))
            await task_end.wait()
        seqs = reading.result()
        assert seqs == list(range(1, len(seqs) + 1))


async def test_ten_thousand_events_are_replayed_whole_and_fast(tmp_path: Path):
    world = SessionWorld(tmp_path, FakeEngine({}))
    long_log(tmp_path, 10_000)
    async with running(world.registry()) as registry:
        begun = time.perf_counter()
        async with registry.attach(LONG, 0) as frames:
            first = await anext(frames)
            first_after = time.perf_counter() - begun
            seqs = [record["seq"] for record in json.loads(first)["events"]]
            pages = 1
            async for raw in frames:
                if b'"kind":"live"' in raw[:20]:
                    break
                pages += 1
                seqs += [record["seq"] for record in json.loads(raw).get("events", ())]
        assert seqs == list(range(1, 10_001))
        assert pages == 22  # 20 pages of 500, the drafts and the changes
        assert first_after < 0.5  # milliseconds on a quiet machine; a stall on a busy one is no failure of ours
        async with registry.attach(LONG, 9_990) as frames:
            assert [record["seq"] for record in json.loads(await anext(frames))["events"]] == list(range(9_991, 10_001))
        state = await registry.state(LONG)
        assert state.seq == 10_000


async def test_there_is_no_feed_of_a_session_that_does_not_exist(tmp_path: Path):
    world = SessionWorld(tmp_path, FakeEngine({}))
    async with running(world.registry()) as registry:
        with pytest.raises(NotFound):
            async with registry.attach(LONG, 0):
                pass
        with pytest.raises(NotFound):
            await registry.ask(LONG, QueuePrompt(new_prompt("x")))


async def test_sessions_at_rest_leave_memory(tmp_path: Path):
    world = SessionWorld(tmp_path, FakeEngine({}), clock=ManualClock())
    long_log(tmp_path, 10)
    async with running(world.registry()) as registry:
        assert (await registry.state(LONG)).seq == 10
        while registry.busy.awake:
            world.clock.advance(5)
            await asyncio.sleep(0.01)
        assert (await registry.state(LONG)).seq == 10


async def _heard(registry: object, session: SessionId, text: str) -> None:
    heard = ""
    async with registry.attach(session, 0) as frames:
        async for raw in frames:
            frame = json.loads(raw)
            heard += frame.get("text", "") if frame["kind"] == "delta" else ""
            heard += "".join(draft["text"] for draft in frame.get("drafts", ()))
            if text in heard:
                return
