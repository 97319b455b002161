"""The story of a session as an engine is told it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.engine import TRANSCRIPT_OPENING, Speaker, ToolCallUpdate, ToolStatus
from outrider.model.errors import NotFound
from outrider.model.ids import LayerId, MessageId, SessionId, ToolCallId, TurnId
from outrider.model.person import Author
from outrider.model.prompt import Prompt
from outrider.session.transcript import MOST_FORKS, TRANSCRIPT_CHARACTERS, Story, transcript
from outrider.testing.manual_clock import START
from outrider.testing.memory_store import MemorySessionLogs
from outrider.testing.playbook import ADA, BASE, SESSION, Playbook, play, prompt_id, snapshot_taken


def log_of(session: Playbook):
    log = MemorySessionLogs().create(SESSION)
    log.append(session.log)
    return log


async def nobody(session: SessionId, after: int, limit: int) -> list[bytes]:
    raise NotFound(f"There is no session {session}.")


def say(session: Playbook, text: str, offset: int = 0, speaker: Speaker = Speaker.AGENT) -> None:
    session.ask(c.SealText(session.state.turn.id, MessageId("m"), speaker, offset, text))


def use(session: Playbook, title: str, status: ToolStatus | None = None) -> None:
    update = ToolCallUpdate(tool_call=ToolCallId("c"), title=title, status=status)
    session.ask(c.EngineChanged(session.state.turn.id, update))


async def test_it_tells_what_was_asked_said_and_done():
    session = play("mend it", "not yet asked")
    say(session, "I look ")
    say(session, "around.", offset=7)
    say(session, "Hmm.", speaker=Speaker.THOUGHT)
    use(session, "ls")
    session.engine_ends()
    session.collect(BASE)
    told = await transcript(log_of(session), nobody)
    assert told.startswith(TRANSCRIPT_OPENING)
    assert told.endswith(
        "## Turn 1\nAda asked: mend it\n\nYou said: I look around.\nYou used a tool: ls\n\n"
        "The turn ended: Nothing was changed.\n\n</session-transcript>"
    )
    assert "Hmm" not in told
    assert "not yet asked" not in told, "it is the prompt that follows"


async def test_what_failed_and_what_was_cut_off_is_told():
    session = play("mend it")
    use(session, "rm", status=ToolStatus.FAILED)
    told = await transcript(log_of(session), nobody)
    assert "You used a tool: rm\nIt failed.\n\nThis turn was cut off here." in told


async def test_an_edited_prompt_is_told_as_it_was_answered():
    session = play("one", "two")
    prompt = session.state.queue[0]
    session.ask(c.EditPrompt(prompt.id, prompt.revision, "three", ADA))
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    session.hand()
    say(session, "Done.")
    told = await transcript(log_of(session), nobody)
    assert "Ada asked: three" in told
    assert "two" not in told


async def test_a_long_turn_keeps_its_end():
    session = play("the beginning")
    for number in range(200):
        say(session, f"{number} " + "x" * 1000)
    told = await transcript(log_of(session), nobody)
    assert len(told) < TRANSCRIPT_CHARACTERS
    assert "199 xxx" in told
    assert "Ada asked: the beginning" in told
    assert "(a part is left out)" in told


async def test_old_turns_are_told_in_short_and_the_oldest_are_counted():
    story = Story()
    turns(story, 300)
    told = story.told()
    assert len(told) < TRANSCRIPT_CHARACTERS
    assert "You said: answer 300 " in told
    assert "earlier turns" in told
    assert "Turn 240. Ada asked: prompt 240 Tools: tool 240. End: Ended 240." in told
    assert "prompt 2 " not in told


async def test_what_was_undone_by_going_back_is_not_told():
    story = Story()
    turns(story, 3)
    story.take(e.SessionRewound(turn=TurnId("t-1"), number=1, by=ADA, branch="outrider/s/work"))
    told = story.told()
    assert "answer 1 " in told
    assert "answer 2 " not in told
    assert "after turn 1 was undone" in told


@given(st.lists(st.tuples(st.text(min_size=1, max_size=6000), st.integers(0, 40), st.text(max_size=3000)), max_size=12))
def test_it_is_bounded_whatever_was_said(said: list[tuple[str, int, str]]):
    story = Story()
    for number, (prompt, tools, text) in enumerate(said, start=1):
        begin(story, number, prompt)
        for tool in range(tools):
            story.take(tool_call(f"c{number}-{tool}", text))
        story.take(text_of(text))
    assert len(story.told()) <= TRANSCRIPT_CHARACTERS + 1000


def begin(story: Story, number: int, text: str) -> None:
    prompt = Prompt(id=prompt_id(number), author=Author(person=ADA), text=text)
    story.take(e.PromptQueued(prompt=prompt))
    story.take(e.TurnStarted(turn=TurnId(f"t-{number}"), prompt=prompt.id))


def turns(story: Story, count: int) -> None:
    for number in range(1, count + 1):
        begin(story, number, f"prompt {number}")
        story.take(tool_call(f"c{number}", f"tool {number}"))
        story.take(text_of(f"answer {number} " + "y" * 500))
        end = f"Ended {number}."
        story.take(e.TurnEnded(turn=TurnId(f"t-{number}"), reason=e.TurnEndReason.COMPLETED, message=end))


def tool_call(call: str, title: str) -> e.ToolCallChanged:
    update = ToolCallUpdate(tool_call=ToolCallId(call), title=title[:1000])
    return e.ToolCallChanged(turn=TurnId("t-1"), update=update)


def text_of(text: str) -> e.TextSealed:
    return e.TextSealed(turn=TurnId("t-1"), message=MessageId("m"), speaker=Speaker.AGENT, offset=0, text=text)


async def test_a_session_without_a_story_tells_none():
    assert await transcript(log_of(Playbook()), nobody) == ""


PARENT, CHILD, GRANDCHILD = SessionId("s-parent2222"), SessionId("s-child22222"), SessionId("s-grandchild")


class Sessions:
    """Logs of sessions, written by hand."""

    def __init__(self) -> None:
        self.events = dict[SessionId, list[e.Event]]()
        self.gone = set[SessionId]()

    def forked(self, session: SessionId, parent: SessionId, turn: str) -> None:
        self.events[session] = [
            e.SessionForked(
                parent=parent, turn=TurnId(turn), number=1, by=ADA, layer=LayerId("snap-1"), layers=(), commit=BASE
            )
        ]

    def turn(self, session: SessionId, turn: str) -> None:
        prompt = Prompt(id=prompt_id(len(turn)), author=Author(person=ADA), text=f"asked {turn}")
        ended = e.TurnEnded(turn=TurnId(turn), reason=e.TurnEndReason.COMPLETED, message=f"Ended {turn}.")
        self.events.setdefault(session, []).extend([
            e.PromptQueued(prompt=prompt), e.TurnStarted(turn=TurnId(turn), prompt=prompt.id),
            text_of(f"answer {turn}."), ended,
        ])  # fmt: skip

    def recorded(self, session: SessionId) -> list[e.Recorded]:
        numbered = enumerate(self.events[session], start=1)
        return [e.Recorded(seq=seq, at=START, event=event) for seq, event in numbered]

    async def read(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        if session in self.gone:
            raise NotFound(f"There is no session {session}.")
        page = [recorded for recorded in self.recorded(session) if recorded.seq > after][:limit]
        return [recorded.model_dump_json().encode() for recorded in page]

    async def told(self, session: SessionId) -> str:
        log = MemorySessionLogs().create(session)
        log.append(self.recorded(session))
        return await transcript(log, self.read)


def answers(told: str) -> list[str]:
    return re.findall(r"You said: answer (\S+)\.", told)


def family() -> Sessions:
    """A session, a fork of it after its second turn, and a fork of that after its first."""
    sessions = Sessions()
    for turn in ("p1", "p2", "p3"):
        sessions.turn(PARENT, turn)
    sessions.forked(CHILD, PARENT, "p2")
    sessions.turn(CHILD, "c1")
    sessions.turn(CHILD, "c2")
    sessions.forked(GRANDCHILD, CHILD, "c1")
    sessions.turn(GRANDCHILD, "g1")
    return sessions


async def test_a_fork_is_told_what_came_before_it_up_to_where_it_begins():
    sessions = family()
    assert answers(await sessions.told(CHILD)) == ["p1", "p2", "c1", "c2"]
    told = await sessions.told(GRANDCHILD)
    assert answers(told) == ["p1", "p2", "c1", "g1"]
    assert re.findall(r"## Turn (\d+)", told) == ["1", "2", "3", "4"]
    assert "The turns up to 3 were in another session" in told


async def test_a_fork_from_where_a_fork_begins_is_told_none_of_its_turns():
    sessions = family()
    sessions.forked(GRANDCHILD, CHILD, "p2")
    assert answers(await sessions.told(GRANDCHILD)) == ["p1", "p2"]


async def test_what_a_fork_undid_is_its_own():
    sessions = family()
    sessions.events[CHILD].append(e.SessionRewound(turn=TurnId("c1"), number=1, by=ADA, branch="outrider/s/work-2"))
    told = await sessions.told(CHILD)
    assert answers(told) == ["p1", "p2", "c1"]
    assert "after turn 3 was undone" in told
    sessions.events[CHILD].append(e.SessionRewound(turn=TurnId("p2"), number=0, by=ADA, branch="outrider/s/work-3"))
    assert answers(await sessions.told(CHILD)) == ["p1", "p2"]


async def test_what_cannot_be_read_any_more_is_left_out():
    sessions = family()
    sessions.gone.add(PARENT)
    assert answers(await sessions.told(GRANDCHILD)) == ["c1", "g1"]
    sessions.gone.add(CHILD)
    assert answers(await sessions.told(GRANDCHILD)) == ["g1"]


async def test_of_a_long_line_of_forks_the_newest_is_told_within_the_bounds():
    sessions, line = Sessions(), [SessionId(f"s-line{number:06}") for number in range(MOST_FORKS + 5)]
    for number, session in enumerate(line):
        if number:
            sessions.forked(session, line[number - 1], f"t{number - 1}")
        sessions.turn(session, f"t{number}")
        sessions.events[session].insert(-1, text_of("y" * 3000))
    told = await sessions.told(line[-1])
    assert len(told) <= TRANSCRIPT_CHARACTERS + 1000
    kept = answers(told)
    assert kept == [f"t{number}" for number in range(len(line) - len(kept), len(line))]
    assert 5 < len(kept) < MOST_FORKS
