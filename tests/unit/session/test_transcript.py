"""The story of a session as an engine is told it."""

from outrider.model import commands as c
from outrider.model.engine import Speaker, ToolCallUpdate
from outrider.model.ids import MessageId, ToolCallId
from outrider.session.transcript import TRANSCRIPT_CHARACTERS, transcript
from outrider.testing.memory_store import MemorySessionLogs
from outrider.testing.playbook import BASE, SESSION, Playbook, play


def log_of(session: Playbook):
    log = MemorySessionLogs().create(SESSION)
    log.append(session.log)
    return log


def say(session: Playbook, text: str, offset: int = 0, speaker: Speaker = Speaker.AGENT) -> None:
    session.ask(c.SealText(session.state.turn.id, MessageId("m"), speaker, offset, text))


async def test_it_tells_what_was_asked_said_and_done():
    session = play("mend it", "not yet asked")
    say(session, "I look ")
    say(session, "around.", offset=7)
    say(session, "Hmm.", speaker=Speaker.THOUGHT)
    session.ask(c.EngineChanged(session.state.turn.id, ToolCallUpdate(tool_call=ToolCallId("c"), title="ls")))
    session.engine_ends()
    session.collect(BASE)
    told = await transcript(log_of(session))
    assert told.endswith(
        "Ada asked: mend it\n\nYou said: I look around.\nYou used a tool: ls\n\nThe turn ended: Nothing was changed.\n"
        "\n\nAda asked: not yet asked"
    )
    assert "Hmm" not in told


async def test_a_long_story_loses_its_beginning():
    session = play("the beginning")
    for number in range(200):
        say(session, f"{number} " + "x" * 1000)
    told = await transcript(log_of(session))
    assert len(told) < TRANSCRIPT_CHARACTERS + 200
    assert "199 xxx" in told
    assert "the beginning" not in told


async def test_a_session_without_a_story_tells_none():
    assert await transcript(log_of(Playbook())) == ""
