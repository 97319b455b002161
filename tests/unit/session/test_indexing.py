"""What is said is found: behind the commits, after a restart, and in spite of a log that cannot be read."""

import asyncio
from datetime import UTC, datetime

import pytest

from outrider.model.engine import Speaker
from outrider.model.errors import OutriderError
from outrider.model.events import (
    RECORDED,
    Event,
    PromptQueued,
    PullRequestOpened,
    Recorded,
    SessionRenamed,
    StageReported,
    TextSealed,
)
from outrider.model.ids import MessageId, SessionId, TurnId
from outrider.session.indexing import BEHIND_SECONDS, NOTED_EVERY, READ_AT_ONCE, Indexing
from outrider.testing.manual_clock import ManualClock
from outrider.testing.memory_search import MemorySearch
from outrider.testing.playbook import session_created
from outrider.testing.session_world import ADA, new_prompt
from outrider.testing.store_contract import pull_request

ONE, TWO = SessionId("s-aaaaaaaaaa"), SessionId("s-bbbbbbbbbb")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Logs:
    """Events of some sessions; one of them may be broken."""

    def __init__(self) -> None:
        self.bodies: dict[SessionId, list[bytes]] = {}
        self.broken: SessionId | None = None
        self.reads: list[int] = []

    def say(self, session: SessionId, *events: Event) -> None:
        bodies = self.bodies.setdefault(session, [])
        for event in events:
            bodies.append(RECORDED.dump_json(Recorded(seq=len(bodies) + 1, at=NOON, event=event)))

    async def read(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        if session == self.broken:
            raise OutriderError("The log cannot be read.")
        self.reads.append(after)
        return self.bodies[session][after : after + limit]

    def ids(self) -> list[SessionId]:
        return sorted(self.bodies)


def nothing() -> Event:
    """Something that nobody looks for."""
    return StageReported(stage="setup", text="the needle")


def asked(text: str) -> Event:
    return PromptQueued(prompt=new_prompt(text))


async def found(search: MemorySearch, words: str) -> set[SessionId]:
    return {hit.session for hit in await search.find(words, 10)}


async def test_what_is_there_at_the_start_is_taken_in_then_what_comes() -> None:
    logs, search, clock = Logs(), MemorySearch(), ManualClock()
    logs.say(ONE, session_created(ONE), asked("mend the total"))
    indexing = Indexing(search, clock, logs.read, logs.ids)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(indexing.run(), name="indexing")
        await search.until_reached(ONE, 2)
        assert await found(search, "total") == {ONE}
        logs.say(TWO, session_created(TWO), asked("paint the total"))
        indexing.touch(TWO)
        while not clock.sleepers:  # noqa: ASYNC110 - a clock does not tell who sleeps
            await asyncio.sleep(0)
        assert await found(search, "total") == {ONE}
        clock.advance(BEHIND_SECONDS)
        await search.until_reached(TWO, 2)
        assert await found(search, "total") == {ONE, TWO}
        running.cancel()


async def test_after_a_restart_only_what_is_new_is_read() -> None:
    logs, search, clock = Logs(), MemorySearch(), ManualClock()
    logs.say(ONE, session_created(ONE), *[asked(f"number {n}") for n in range(READ_AT_ONCE + 5)])
    for _ in range(2):
        indexing = Indexing(search, clock, logs.read, logs.ids)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(indexing.run(), name="indexing")
            await search.until_reached(ONE, len(logs.bodies[ONE]))
            running.cancel()
        logs.say(ONE, asked("one more"))
    assert logs.reads == [0, READ_AT_ONCE, READ_AT_ONCE + 6]


class Talkative(Logs):
    """Sessions that say more whenever they are read."""

    indexing: Indexing

    async def read(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        page = await super().read(session, after, limit)
        self.say(session, asked("and more"))
        self.indexing.touch(session)
        return page


async def test_sessions_that_never_rest_are_each_taken_in_once_a_round() -> None:
    logs, search, clock = Talkative(), MemorySearch(), ManualClock()
    for session in (ONE, TWO):
        logs.say(session, session_created(session))
    logs.indexing = Indexing(search, clock, logs.read, logs.ids)
    for round_ in (1, 2, 3):
        for session in logs.ids():
            logs.indexing.touch(session)
        await logs.indexing.catch_up()
        assert len(logs.reads) == 2 * round_


async def test_a_log_that_cannot_be_read_harms_no_other() -> None:
    logs, search, clock = Logs(), MemorySearch(), ManualClock()
    for session in (ONE, TWO):
        logs.say(session, session_created(session), asked("mend the total"))
    logs.broken = ONE
    indexing = Indexing(search, clock, logs.read, logs.ids)
    for session in logs.ids():
        indexing.touch(session)
    await indexing.catch_up()
    assert await found(search, "total") == {TWO}


MESSAGE = {"turn": TurnId("t-aaaaaaaaaa"), "message": MessageId("m1"), "offset": 0}


@pytest.mark.parametrize(
    "event",
    [
        session_created(ONE).model_copy(update={"title": "the needle"}),
        SessionRenamed(title="the needle", by=ADA),
        asked("the needle"),
        TextSealed(speaker=Speaker.AGENT, text="the needle", **MESSAGE),
        PullRequestOpened(pull_request=pull_request(1).model_copy(update={"title": "the needle"})),
    ],
    ids=lambda event: event.type,
)
async def test_every_kind_of_thing_that_is_said_is_found(event: Event) -> None:
    logs, search, clock = Logs(), MemorySearch(), ManualClock()
    logs.say(ONE, *[nothing()] * 3, event, nothing())
    indexing = Indexing(search, clock, logs.read, logs.ids)
    indexing.touch(ONE)
    await indexing.catch_up()
    assert await found(search, "needle") == {ONE}


async def test_events_that_say_nothing_are_taken_down_in_large_steps_only() -> None:
    logs, search, clock = Logs(), MemorySearch(), ManualClock()
    logs.say(ONE, session_created(ONE))
    indexing = Indexing(search, clock, logs.read, logs.ids)
    reached = []
    for _ in range(3):
        indexing.touch(ONE)
        await indexing.catch_up()
        reached.append((await search.reached())[ONE])
        logs.say(ONE, *[nothing()] * (NOTED_EVERY // 2))
    assert reached == [1, 1, 1 + NOTED_EVERY]
    assert logs.reads == [0, 1, 1 + NOTED_EVERY // 2]
