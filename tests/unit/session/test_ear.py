"""What an engine says, on its way to being stored."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from outrider.model import commands as c
from outrider.model.engine import (
    PermissionAsk,
    PlanUpdate,
    Speaker,
    TextDelta,
    ToolCallUpdate,
    ToolKind,
    ToolStatus,
    ToolText,
)
from outrider.model.ids import MessageId, ToolCallId, TurnId
from outrider.session import wording
from outrider.session.ear import Ear
from outrider.session.feed import Hub
from outrider.session.redaction import Redactor
from outrider.session.state import State
from outrider.session.tool_calls import STORE_SECONDS, ToolCalls, merge
from outrider.testing.manual_clock import ManualClock
from outrider.testing.playbook import ADA, commit_id, play, sandbox_reachable, synced

CALL = ToolCallId("call-1")


class Listener:
    """An actor's place: keeps what it is told."""

    def __init__(self) -> None:
        self.session = play()
        self.hub = Hub(0.0)
        self.told: list[c.Command] = []
        self.sync_over = asyncio.Event()

    @property
    def state(self) -> State:
        return self.session.state

    async def synced(self, turn: TurnId) -> State:
        """As the workbench: until it is, or the turn is not to go on."""
        if not self.state.synced:
            await self.sync_over.wait()
        return self.state

    def tell(self, command: c.Command) -> None:
        self.told.append(command)


def make(*secrets: str) -> tuple[Ear, Listener, ManualClock]:
    listener, clock = Listener(), ManualClock()
    ear = Ear(listener, Redactor(secrets), clock, listener.synced)
    ear.begin(listener.session.state.turn.id)
    return ear, listener, clock


def text(message: str, said: str) -> TextDelta:
    return TextDelta(message=MessageId(message), speaker=Speaker.AGENT, text=said)


def running(output: str, status: ToolStatus | None = None) -> ToolCallUpdate:
    return ToolCallUpdate(tool_call=CALL, status=status, content=(ToolText(text=output),))


def test_text_is_stored_before_the_tool_call_that_follows_it():
    ear, listener, _ = make()
    ear.update(text("m-1", "I look."))
    ear.update(ToolCallUpdate(tool_call=CALL, title="ls", status=ToolStatus.PENDING))
    assert [type(command) for command in listener.told] == [c.SealText, c.EngineChanged]
    assert listener.told[0].text == "I look."


def test_another_message_closes_the_one_before():
    ear, listener, _ = make()
    ear.update(text("m-1", "One."))
    ear.update(text("m-2", "Two."))
    assert [command.text for command in listener.told] == ["One."]
    ear.finish()
    assert [command.text for command in listener.told] == ["One.", "Two."]


def test_a_secret_in_pieces_at_the_end_of_a_message_is_not_said():
    ear, listener, _ = make("0123456789abcdef")
    for piece in ("key 01234", "56789", "abcdef"):
        ear.update(text("m-1", piece))
    ear.finish()
    assert [command.text for command in listener.told] == ["key [redacted]"]


def test_between_turns_an_engine_is_not_heard():
    ear, listener, _ = make()
    ear.finish()
    ear.update(text("m-1", "Boo."))
    ear.update(PlanUpdate(entries=()))
    assert listener.told == []


async def test_tools_are_allowed_but_not_while_the_turn_stops():
    ear, listener, _ = make()
    ear.named.set()
    ask = PermissionAsk(tool_call=CALL, title="ls")
    assert await ear.permission(ask)
    listener.session.ask(c.StopTurn(by=ADA))
    assert not await ear.permission(ask)
    assert [command.allowed for command in listener.told] == [True, False]


async def test_no_tool_runs_before_commits_go_by_the_name_of_who_prompts():
    ear, listener, _ = make()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ear.permission(PermissionAsk(tool_call=CALL, title="ls")), name="asking")
        await asyncio.sleep(0)
        assert listener.told == []
        ear.named.set()
    assert asking.result()


def wants_to(kind: ToolKind) -> PermissionAsk:
    return PermissionAsk(tool_call=CALL, title="x", kind=kind)


def test_the_first_word_of_each_round_is_noticed():
    ear, listener, _ = make()
    assert not ear.heard.is_set()
    ear.update(text("m-1", "Well"))
    assert ear.heard.is_set()
    ear.begin(listener.session.state.turn.id)
    assert not ear.heard.is_set()


async def test_a_question_is_a_first_word_too():
    ear, _, _ = make()
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(ear.permission(wants_to(ToolKind.EDIT)), name="asked")
        await ear.heard.wait()
        asked.cancel()


async def test_what_an_engine_wants_to_do_waits_for_the_sync_and_what_it_reads_does_not():
    ear, listener, _ = make()
    ear.named.set()
    sandbox_reachable(listener.session)
    assert await ear.permission(wants_to(ToolKind.READ))
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ear.permission(wants_to(ToolKind.EDIT)), name="asking")
        await asyncio.sleep(0)
        assert not asking.done()
        synced(listener.session)
        listener.sync_over.set()
    assert asking.result()


async def test_what_is_asked_for_on_files_that_have_moved_is_not_answered():
    ear, listener, _ = make()
    ear.named.set()
    sandbox_reachable(listener.session)
    synced(listener.session, moved_from=commit_id(9))
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ear.permission(wants_to(ToolKind.EXECUTE)), name="asking")
        await ear.stale.wait()
        assert not asking.done()
        assert await ear.permission(wants_to(ToolKind.SEARCH))
        asking.cancel()


def test_growing_output_is_stored_once_a_second_and_its_end_at_once():
    ear, listener, clock = make()
    ear.update(running("", ToolStatus.IN_PROGRESS))
    for number in range(50):
        clock.advance(0.1)
        ear.update(running("x" * number, ToolStatus.IN_PROGRESS))
    ear.update(running("all of it", ToolStatus.COMPLETED))
    assert 5 <= len(listener.told) <= 7
    assert listener.told[-1].update.content[0].text == "all of it"


@given(st.lists(st.tuples(st.sampled_from([None, *ToolStatus]), st.text(max_size=3), st.floats(0, 2)), max_size=30))
def test_whatever_is_held_is_stored_in_the_end(steps: list[tuple[ToolStatus | None, str, float]]):
    calls, now, whole, stored = ToolCalls(), 0.0, None, None
    for status, output, seconds in steps:
        now += seconds
        update = running(output, status)
        whole = merge(whole, update) if whole else update
        for kept in calls.take(update, now) + calls.due(now):
            stored = merge(stored, kept) if stored else kept
    for kept in calls.flush():
        stored = merge(stored, kept) if stored else kept
    assert stored == whole
    assert calls.due(now + STORE_SECONDS) == []


def test_sentences_are_plain():
    assert wording.sentence("\x1b[91mError:\x1b[0m no\x07") == "Error: no"
    assert len(wording.sentence("x" * 10_000)) == wording.LONGEST_SENTENCE
