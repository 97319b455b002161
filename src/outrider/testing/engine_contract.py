"""What every engine has to do. Subclass `EngineContract` in a test file and give it an `EngineUnderTest`."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.model.engine import (
    EngineSessionId,
    EngineStop,
    EngineUpdate,
    ModelRef,
    PermissionAsk,
    TextDelta,
    ToolCallUpdate,
    ToolContent,
    ToolDiff,
    ToolKind,
    ToolStatus,
    ToolText,
)
from outrider.model.errors import EngineError, TurnFailed
from outrider.ports.engine import Engine, EngineLaunch, EngineSession
from outrider.ports.sandbox import Guest

SECONDS = 60
"""For anything that an engine does here. OpenCode on a busy machine takes 10 s to start."""

TALK = "Contract: talk."
"""Has to be answered with SAID and no tool call."""
SAID = "Nothing to do here, so I only talk."
EDIT = "Contract: edit."
"""Has to write EDITED_FILE with EDITED_TEXT."""
EDITED_FILE = "notes/contract.txt"
EDITED_TEXT = "first line\nsecond line\n"
RUN = "Contract: run."
"""Has to run a shell command that prints `42`."""
SLOW = "Contract: slow."
"""Has to run a shell command that writes a line to the pipe SLOW_FILE and then takes minutes."""
SLOW_FILE = "slow-began"
REFUSED = "Contract: refused."
"""The model has to refuse this with a sentence in which `rehearsal` or `fake` is found."""


class Ear:
    """A listener that keeps what it hears and lets a test wait for it."""

    def __init__(self) -> None:
        self.updates: list[EngineUpdate] = []
        self.asked: list[PermissionAsk] = []
        self.allow = True
        self.answer = asyncio.Event()
        """Permission is given, or not, when this is set."""
        self.answer.set()
        self._news = asyncio.Event()

    def update(self, update: EngineUpdate) -> None:
        """Keep it."""
        self.updates.append(update)
        self._news.set()

    async def permission(self, ask: PermissionAsk) -> bool:
        """Keep it, and answer when the test lets us."""
        self.asked.append(ask)
        self._news.set()
        await self.answer.wait()
        return self.allow

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until what was heard fulfils a condition."""
        async with asyncio.timeout(SECONDS):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def text(self) -> str:
        """All that was said."""
        return "".join(update.text for update in self.updates if isinstance(update, TextDelta))

    def calls(self) -> list[ToolCallUpdate]:
        """All that was heard of tool calls."""
        return [update for update in self.updates if isinstance(update, ToolCallUpdate)]

    def statuses(self) -> list[ToolStatus]:
        """The states of tool calls as they were heard."""
        return [call.status for call in self.calls() if call.status]

    def last_content(self) -> tuple[ToolContent, ...]:
        """What the last tool call gave back."""
        return next((call.content for call in reversed(self.calls()) if call.content), ())


@dataclass(frozen=True, slots=True)
class EngineUnderTest:
    """An engine, the guest to start it in, and a workspace in it that tests can look at."""

    engine: Engine
    guest: Guest
    workspace: Path
    model: ModelRef

    async def open(self, ear: Ear, resume: EngineSessionId | None = None) -> EngineSession:
        """Open a session within a minute."""
        launch = EngineLaunch(model=self.model, workspace=str(self.workspace), resume=resume)
        async with asyncio.timeout(SECONDS):
            return await self.engine.open(self.guest, launch, ear)


class EngineContract:
    """For `outrider.ports.engine.Engine`."""

    @pytest.fixture
    def under_test(self) -> EngineUnderTest:
        """The engine to test."""
        raise NotImplementedError

    @pytest.fixture
    def ear(self) -> Ear:
        """Who listens."""
        return Ear()

    async def test_says_its_answer_and_ends_the_turn(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        assert await _prompted(session, TALK) is EngineStop.END_TURN
        assert (ear.text(), ear.calls()) == (SAID, [])
        assert len({update.message for update in ear.updates if isinstance(update, TextDelta)}) == 1
        await session.close()

    async def test_asks_before_it_writes_and_shows_the_diff(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        assert await _prompted(session, EDIT) is EngineStop.END_TURN
        assert (under_test.workspace / EDITED_FILE).read_text() == EDITED_TEXT
        assert [ask.kind for ask in ear.asked] == [ToolKind.EDIT]
        assert ear.statuses()[-1] is ToolStatus.COMPLETED
        (diff,) = [item for item in ear.last_content() if isinstance(item, ToolDiff)]
        assert diff.path.endswith(EDITED_FILE)
        assert "+first line\n+second line\n" in diff.diff
        await session.close()

    async def test_gives_back_what_a_command_printed(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        assert await _prompted(session, RUN) is EngineStop.END_TURN
        assert [ask.kind for ask in ear.asked] == [ToolKind.EXECUTE]
        (text,) = [item for item in ear.last_content() if isinstance(item, ToolText)]
        assert "42" in text.text.split()
        await session.close()

    async def test_a_denied_tool_call_fails_and_leaves_nothing(self, under_test: EngineUnderTest, ear: Ear) -> None:
        ear.allow = False
        session = await under_test.open(ear)
        assert await _prompted(session, EDIT) is EngineStop.END_TURN
        assert ear.statuses()[-1] is ToolStatus.FAILED
        assert not (under_test.workspace / EDITED_FILE).exists()
        await session.close()

    async def test_cancel_ends_the_turn_and_the_next_prompt_works(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        async with slow_turn(under_test) as began, asyncio.TaskGroup() as group:
            turn = group.create_task(_prompted(session, SLOW), name="slow turn")
            await began.readline()
            await session.cancel()
        assert turn.result() is EngineStop.CANCELLED
        assert await _prompted(session, TALK) is EngineStop.END_TURN
        await session.close()

    async def test_cancel_ends_a_turn_that_waits_for_permission(self, under_test: EngineUnderTest, ear: Ear) -> None:
        ear.answer.clear()
        session = await under_test.open(ear)
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(_prompted(session, EDIT), name="asking turn")
            await ear.until(lambda: ear.asked)
            await session.cancel()
        assert turn.result() is EngineStop.CANCELLED
        assert not (under_test.workspace / EDITED_FILE).exists()
        await session.close()

    async def test_takes_up_its_session_after_it_was_killed(self, under_test: EngineUnderTest, ear: Ear) -> None:
        first = await under_test.open(ear)
        await _prompted(first, TALK)
        await first.close()
        again = Ear()
        second = await under_test.open(again, resume=first.id)
        assert (second.resumed, second.id, again.updates) == (True, first.id, [])
        assert await _prompted(second, TALK) is EngineStop.END_TURN
        await second.close()

    async def test_opens_a_new_session_where_there_is_none_to_take_up(
        self, under_test: EngineUnderTest, ear: Ear
    ) -> None:
        unknown = EngineSessionId("ses_unknown")
        session = await under_test.open(ear, resume=unknown)
        assert (session.resumed, session.id == unknown) == (False, False)
        assert await _prompted(session, TALK) is EngineStop.END_TURN
        await session.close()

    async def test_nothing_is_heard_of_its_primer(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        own = session.id
        async with asyncio.timeout(SECONDS):
            await session.prime()
        assert (session.id, ear.updates, ear.asked) == (own, [], [])
        assert await _prompted(session, TALK) is EngineStop.END_TURN
        assert ear.text() == SAID
        await session.close()

    async def test_another_ear_hears_from_then_on(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        assert await _prompted(session, TALK) is EngineStop.END_TURN
        heard, other = len(ear.updates), Ear()
        session.listen(other)
        assert await _prompted(session, EDIT) is EngineStop.END_TURN
        assert (len(ear.updates), ear.asked) == (heard, [])
        assert [ask.kind for ask in other.asked] == [ToolKind.EDIT]
        await session.close()

    async def test_an_engine_that_ends_in_its_turn_is_an_error(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        async with slow_turn(under_test) as began, asyncio.TaskGroup() as group:
            turn = group.create_task(_failing(session, SLOW), name="slow turn")
            await began.readline()
            await session.close()
        assert not isinstance(turn.result(), TurnFailed)
        assert "ended" in turn.result().sentence
        async with asyncio.timeout(SECONDS):
            await session.ended()

    async def test_what_the_model_refuses_fails_the_turn_only(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        refusal = await _failing(session, REFUSED)
        assert isinstance(refusal, TurnFailed)
        assert "rehearsal" in refusal.sentence or "fake" in refusal.sentence
        assert await _prompted(session, TALK) is EngineStop.END_TURN
        await session.close()

    async def test_close_is_no_error_where_it_is_closed(self, under_test: EngineUnderTest, ear: Ear) -> None:
        session = await under_test.open(ear)
        await session.close()
        await session.close()
        assert "ended" in (await _failing(session, TALK)).sentence


async def _prompted(session: EngineSession, prompt: str) -> EngineStop:
    async with asyncio.timeout(SECONDS):
        return await session.prompt([prompt])


async def _failing(session: EngineSession, prompt: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await _prompted(session, prompt)
    return caught.value


@asynccontextmanager
async def slow_turn(under_test: EngineUnderTest) -> AsyncIterator[asyncio.StreamReader]:
    """A pipe at SLOW_FILE. A line comes out of it when the command of SLOW has begun, each time that it begins."""
    path = under_test.workspace / SLOW_FILE
    os.mkfifo(path)
    began = asyncio.StreamReader()
    pipe = os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "r+b", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(began), pipe)
    try:
        yield began
    finally:
        transport.close()
