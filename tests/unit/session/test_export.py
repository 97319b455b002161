"""A session's story as Markdown and as lines of JSON."""

import json
from datetime import UTC, datetime

from outrider.model import events as e
from outrider.model.children import ChildEnded, ChildPrompted, ChildRefused, ChildrenStopRequested, ChildSpawned
from outrider.model.engine import Speaker, ToolCallUpdate, ToolStatus
from outrider.model.events import RECORDED, Event, Recorded
from outrider.model.ids import CommitId, MessageId, ProofId, ToolCallId, TurnId
from outrider.model.proof import ProofVerdict
from outrider.session.export import json_lines, markdown
from outrider.testing.children import CHILD, child_prompt, child_result
from outrider.testing.playbook import ADA, proof_of, session_created
from outrider.testing.session_world import new_prompt

TURN = TurnId("turn-aaaa")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CREATED = session_created()


class Log:
    """Stored events, read in pages."""

    def __init__(self, *events: Event) -> None:
        self.bodies = [
            RECORDED.dump_json(Recorded(seq=seq, at=NOON, event=event)) for seq, event in enumerate(events, start=1)
        ]

    async def read(self, after: int, limit: int) -> list[bytes]:
        return self.bodies[after : after + limit]


def said(text: str, offset: int = 0) -> Event:
    return e.TextSealed(turn=TURN, message=MessageId("m-1"), speaker=Speaker.AGENT, offset=offset, text=text)


def tool(**changes: object) -> Event:
    update = ToolCallUpdate.model_validate({"tool_call": ToolCallId("call-1"), **changes})
    return e.ToolCallChanged(turn=TURN, update=update)


async def test_a_story_reads_from_top_to_bottom() -> None:
    asked = new_prompt("The total is wrong.\nMend it.")
    wanted = e.ProofRequested(proof=ProofId("proof-aaaa"), head=CommitId("1" * 40), asked_by="turn_end")
    log = Log(
        CREATED,
        e.PromptQueued(prompt=asked),
        e.TurnStarted(turn=TURN, prompt=asked.id),
        said("I look at the code"),
        said(" first.", offset=18),
        tool(title="cat `money.py` | head", status=ToolStatus.PENDING),
        tool(status=ToolStatus.IN_PROGRESS),
        tool(status=ToolStatus.COMPLETED),
        tool(status=ToolStatus.COMPLETED),
        e.ProofFinished(proof=proof_of(wanted, ProofVerdict.FIX_PROVED)),
        e.TurnEnded(turn=TURN, reason=e.TurnEndReason.COMPLETED, message="All is well."),
    )
    story = "".join([piece async for piece in markdown(log.read)])
    assert story.startswith(f"# {CREATED.title}\n")
    assert f"## {ADA.name}, {NOON:%Y-%m-%d %H:%M} UTC\n\n> The total is wrong.\n> Mend it.\n" in story
    assert "I look at the code first.\n\n- `cat 'money.py' \\| head`\n" in story
    assert story.count("money.py") == 1
    assert "### Evidence" in story
    assert story.endswith("All is well.\n\n")


async def test_sessions_that_it_started_are_told() -> None:
    log = Log(
        CREATED,
        ChildSpawned(child=CHILD),
        ChildPrompted(child=CHILD, prompt=child_prompt(2)),
        ChildEnded(child=CHILD, prompts=2, result=child_result()),
        ChildRefused(child=CHILD, reason="No room."),
        ChildrenStopRequested(children=(CHILD,), by=ADA),
    )
    story = "".join([piece async for piece in markdown(log.read)])
    assert f"*Started the session {CHILD}.*" in story
    assert f"*The session {CHILD} rests (completed): Nothing was changed.*" in story
    assert "No room." in story
    assert "Ada asked that these stop too" in story


async def test_lines_of_json_are_the_events_as_they_are_stored() -> None:
    log = Log(CREATED, *[e.ProblemReported(sentence=f"{number}") for number in range(1200)])
    lines = b"".join([piece async for piece in json_lines(log.read)]).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, 1202))
