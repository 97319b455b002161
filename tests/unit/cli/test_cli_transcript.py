"""A session in the terminal, event by event."""

import json
from collections.abc import Callable

import pytest

from outrider.cli.transcript import Transcript
from outrider.model import events
from outrider.model.engine import (
    EngineStop,
    ModelRef,
    PermissionAsk,
    PlanEntry,
    Speaker,
    ToolCallUpdate,
    ToolDiff,
    ToolKind,
    ToolStatus,
    ToolText,
    Usage,
)
from outrider.model.events import Event
from outrider.model.feed import DeltaFrame, Draft, DraftsFrame, EventsFrame, LiveFrame, ProgressFrame
from outrider.model.ids import CommitId, MessageId, PromptId, ProofId, SandboxId, SessionId, ToolCallId, TurnId
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.model.repository import Commit, FileChange, PullRequestState, Repository
from outrider.model.sandbox import Isolation, LimitTier, SandboxHandle

ADA = Person(name="Ada Mensah", email="ada@example.org")
TURN = TurnId("t-aaaa")
CALL = ToolCallId("call-1")
HEAD = CommitId("b" * 40)

Tape = Callable[..., EventsFrame]
Play = Callable[..., str]


def created(model: str = "anthropic/claude-sonnet-4-5") -> Event:
    return events.SessionCreated(
        session=SessionId("s-aaaa"),
        title="The total is wrong",
        created_by=Author(person=ADA),
        repository=Repository(forge="builtin", name="shop", source="~/shop", default_branch="main"),
        base_branch="main",
        base_commit=CommitId("a" * 40),
        model=ModelRef.parse(model),
    )


def queued(text: str) -> Event:
    return events.PromptQueued(prompt=Prompt(id=PromptId("p-aaaa"), author=Author(person=ADA), text=text))


def said(text: str, offset: int = 0, message: str = "m-1", speaker: Speaker = Speaker.AGENT) -> Event:
    return events.TextSealed(turn=TURN, message=MessageId(message), speaker=speaker, offset=offset, text=text)


def typed(text: str, offset: int, message: str = "m-1") -> DeltaFrame:
    return DeltaFrame(
        turn=TURN, message=MessageId(message), speaker=Speaker.AGENT, offset=offset, text=text, after_seq=0
    )


def called(**update: object) -> Event:
    return events.ToolCallChanged(turn=TURN, update=ToolCallUpdate.model_validate({"tool_call": CALL, **update}))


def ended(reason: events.TurnEndReason, message: str) -> Event:
    return events.TurnEnded(turn=TURN, reason=reason, message=message)


def test_the_beginning(tape: Tape, play: Play) -> None:
    assert play(tape(created()), tape(queued("Fix it.\nWith a test."))) == (
        "The total is wrong\n"
        "s-aaaa · shop · main at aaaaaaaa · anthropic/claude-sonnet-4-5\n"
        "\n"
        "▍ Ada Mensah\n"
        "  Fix it.\n"
        "  With a test.\n"
    )


def test_a_rehearsal_says_so(tape: Tape, play: Play) -> None:
    assert "Rehearsal: a script answers, no model is asked." in play(tape(created("rehearsal/demo")))


def test_a_long_prompt_is_cut_with_a_word(tape: Tape, play: Play) -> None:
    shown = play(tape(queued("\n".join(f"line {n}" for n in range(100)))))
    assert "  line 29\n  … 70 lines more\n" in shown


def test_text_as_it_is_typed_and_sealed_is_drawn_once(tape: Tape, play: Play) -> None:
    shown = play(
        DraftsFrame(
            drafts=(Draft(turn=TURN, message=MessageId("m-1"), speaker=Speaker.AGENT, offset=0, text="I will "),)
        ),
        LiveFrame(seq=0),
        typed("read it", 7),
        typed(" and fix it.", 14),
        tape(said("I will read it and fix it.")),
        tape(said("Done.", message="m-2")),
    )
    assert shown == "I will read it and fix it.\n\nDone.\n"


def test_tool_calls_are_one_quiet_line(tape: Tape, play: Play) -> None:
    shown = play(
        tape(called(kind=ToolKind.READ, title="src/basket.py", status=ToolStatus.PENDING)),
        tape(called(paths=("/workspace/src/basket.py",), status=ToolStatus.IN_PROGRESS)),
        tape(called(status=ToolStatus.COMPLETED, content=(ToolText(text="secret of the file"),)), 1.5),
        tape(called(status=ToolStatus.COMPLETED)),
    )
    assert shown == "  ✓ Read   src/basket.py  2.0 s\n"


def test_an_edit_shows_its_diff(tape: Tape, play: Play) -> None:
    diff = "--- a/basket.py\n+++ b/basket.py\n@@ -1,2 +1,2 @@\n def total():\n-    return 1\n+    return 2\n"
    change = {"kind": ToolKind.EDIT, "title": "basket.py", "content": (ToolDiff(path="basket.py", diff=diff),)}
    assert play(tape(called(status=ToolStatus.COMPLETED, **change))) == (
        "  ✓ Edit   basket.py  +1 -1  0.0 s\n"
        "    @@ -1,2 +1,2 @@\n"
        "     def total():\n"
        "    -    return 1\n"
        "    +    return 2\n"
    )


def test_a_long_diff_is_cut_with_a_word(tape: Tape, play: Play) -> None:
    diff = "\n".join(f"+line {n}" for n in range(100))
    shown = play(tape(called(kind=ToolKind.EDIT, status="completed", content=(ToolDiff(path="a", diff=diff),))))
    assert shown.endswith("    +line 39\n    … 60 lines more\n")


def test_a_command_shows_the_end_of_what_it_printed(tape: Tape, play: Play) -> None:
    printed = "\n".join(f"line {n}" for n in range(20)) + "\n\x1b[31m1 failed\x1b[0m\x1b[2J\x1b]0;owned\x07"
    given = json.dumps({"command": "python3 -m pytest -q", "description": "Runs the tests"})
    run = {"kind": ToolKind.EXECUTE, "title": "Runs the tests", "input": given, "content": (ToolText(text=printed),)}
    frame = tape(called(status=ToolStatus.FAILED, **run))
    shown = play(frame)
    assert shown.splitlines()[0] == "  ✗ Run    python3 -m pytest -q  failed  0.0 s"
    assert shown.splitlines()[1:3] == ["    … 9 lines above", "    line 9"]
    assert shown.splitlines()[-1] == "    1 failed"
    assert "\x1b[31m1 failed\x1b[0m" in play(frame, colour=True)


def test_a_narrow_line_cuts_the_object_and_keeps_the_result(tape: Tape, play: Play) -> None:
    path = "src/a/very/long/path/to/a/module/of/the/shop.py"
    frame = tape(called(kind=ToolKind.READ, title=path, paths=(path,), status="completed"))
    assert play(frame, width=40) == "  ✓ Read   src/a/very/long/path/…  0.0 s\n"


def test_the_workspace_before_after_and_its_commits(tape: Tape, play: Play) -> None:
    ready = events.SandboxReady(
        handle=SandboxHandle(id=SandboxId("b-aaaa"), provider="namespaces"),
        isolation=Isolation.SHARED_KERNEL,
        limit_tier=LimitTier.CGROUP,
        commit=CommitId("a" * 40),
        seconds=1.25,
    )
    collected = events.WorkCollected(
        head=HEAD,
        commits=(Commit(sha=HEAD, author=ADA, subject="Charge what the customer chose"),),
        files=(FileChange(path="shop.py", added=4, deleted=1), FileChange(path="logo.png", added=None, deleted=None)),
        leftovers_committed=True,
    )
    assert play(
        tape(events.StageReported(stage="image", text="Building the image")),
        tape(events.StageReported(stage="image", text="Built the image", seconds=75.0)),
        tape(ready),
        tape(collected),
    ) == (
        "  ✓ Built the image  1 min 15 s\n"
        "  ✓ Sandbox ready (shared kernel, limits by control groups)  1.2 s\n"
        "\n"
        "  bbbbbbbb Charge what the customer chose  Ada Mensah <ada@example.org>\n"
        "  1 commit, 2 files, +4 -1 What was not committed was committed at the end.\n"
    )


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (
            events.SandboxLost(sandbox=SandboxId("b-aaaa"), reason="Its sshd ended."),
            "! The sandbox went away: Its sshd",
        ),
        (events.StopRequested(turn=TURN, by=ADA), "  Ada Mensah asked to stop."),
        (
            events.TurnInterrupted(turn=TURN, attempt=1, reason="The server ended."),
            "! Interrupted: The server ended. It",
        ),
        (events.EngineReprompted(turn=TURN, round=2, text="red"), "! The checks are red; the engine was told"),
        (
            events.ProblemReported(sentence="The disk is full.", remedy="Free some."),
            "✗ The disk is full.\n  Free some.",
        ),
        (events.PublishFailed(head=HEAD, reason="The branch moved."), "✗ The branch moved.\n  Nothing is lost"),
        (
            events.PullRequestChanged(number=1, state=PullRequestState.MERGED, by=ADA),
            "  Ada Mensah: pull request #1 is",
        ),
        (events.PromptWithdrawn(prompt=PromptId("p-aaaa"), by=ADA), "  Ada Mensah withdrew a prompt."),
        (events.SessionArchived(by=ADA), "  Ada Mensah archived the session."),
        (
            events.EgressRefused(host="a.example", port=22, why="port 22 is not", rule="a.example:22", allowable=True),
            "! The sandbox was refused a.example:22: port 22 is not. Allow it: outrider",
        ),
        (
            events.HostAllowed(host="a.example", by=ADA, scope="session"),
            "  Ada Mensah allowed a.example to this session.",
        ),
        (ended(events.TurnEndReason.COMPLETED, "Opened #1."), "✓ Done  Opened #1."),
        (ended(events.TurnEndReason.STOPPED, "Ada stopped it."), "■ Stopped  Ada stopped it."),
        (ended(events.TurnEndReason.FAILED, "The engine died."), "✗ Failed  The engine died."),
        (events.StageReported(stage="setup", text="npm ci failed", failed=True), "  ✗ npm ci failed"),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_what_people_must_know_is_said(tape: Tape, play: Play, event: Event, shown: str) -> None:
    assert play(tape(event)).startswith(shown)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (events.SandboxRequested(sandbox=SandboxId("b-aaaa")), "Preparing the sandbox"),
        (events.StageReported(stage="setup", text="Running npm ci"), "Running npm ci"),
        (events.TurnStarted(turn=TURN, prompt=PromptId("p-aaaa")), "Starting the engine"),
        (called(kind=ToolKind.READ, title="a.py", status="pending"), "Read a.py"),
        (events.PlanChanged(turn=TURN, entries=(PlanEntry(text="Fix it", status="in_progress"),)), "Fix it"),
        (events.EngineFinished(turn=TURN, round=1, stop=EngineStop.END_TURN), "Collecting the commits"),
        (events.ProofRequested(proof=ProofId("f-aaaa"), head=HEAD, asked_by="engine"), "Preparing clean sandboxes"),
        (
            events.CheckStarted(proof=ProofId("f-aaaa"), phase="before", name="t", command="pytest"),
            "Checking before: p",
        ),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_what_goes_on_is_a_status_and_no_line(tape: Tape, event: Event, status: str) -> None:
    from_scratch = Transcript(80)
    assert from_scratch.apply(tape(event)) == []
    assert from_scratch.status.startswith(status)


def test_progress_is_a_status() -> None:
    transcript = Transcript(80)
    assert transcript.apply(ProgressFrame(stage="image", text="Unpacking libc6")) == []
    assert transcript.status == "Unpacking libc6"


def test_a_permission_is_shown_where_it_was_refused(tape: Tape, play: Play) -> None:
    ask = PermissionAsk(tool_call=CALL, title="curl example.org", kind=ToolKind.EXECUTE)
    assert play(tape(events.PermissionDecided(turn=TURN, ask=ask, allowed=True))) == ""
    assert (
        play(tape(events.PermissionDecided(turn=TURN, ask=ask, allowed=False))) == "! Not allowed: curl example.org\n"
    )


def usage(cost: float | None) -> Event:
    return events.UsageRecorded(
        turn=TURN, usage=Usage(call=f"c-{cost}", model="m", input_tokens=1000, output_tokens=200, cost_usd=cost)
    )


@pytest.mark.parametrize(
    ("model", "costs", "shown"),
    [
        ("anthropic/m", (0.1, 0.02), "2 model calls, 2,400 tokens, $0.12"),
        ("anthropic/m", (0.1, None), "2 model calls, 2,400 tokens, price not known"),
        ("rehearsal/demo", (0.0,), "1 model call, 1,200 tokens, no cost: rehearsal"),
    ],
)
def test_what_it_cost_is_said_at_the_end(
    tape: Tape, play: Play, model: str, costs: tuple[float | None, ...], shown: str
) -> None:
    spent = [tape(usage(cost)) for cost in costs]
    end = tape(ended(events.TurnEndReason.COMPLETED, "Done."))
    assert play(tape(created(model)), *spent, end).endswith(f"  {shown}\n")


def test_a_guest_cannot_draw_over_us(tape: Tape, play: Play) -> None:
    evil = "\x1b[2J\x1b[H\x1b]0;owned\x07\x9b31m✓ Done\r\u202e"
    commit = Commit(sha=HEAD, author=Person(name=f"A{evil}B".replace("\r", ""), email="a@b"), subject=evil)
    frames = [
        tape(said(evil)),
        tape(called(kind=ToolKind.EXECUTE, title=evil, input=evil, status="failed", content=(ToolText(text=evil),))),
        tape(events.StageReported(stage="setup", text=evil, seconds=1)),
        tape(events.WorkCollected(head=HEAD, commits=(commit,), files=())),
        tape(events.ProblemReported(sentence=evil, remedy=evil)),
        tape(ended(events.TurnEndReason.FAILED, evil)),
    ]
    shown = play(*frames)
    assert all(character == "\n" or character.isprintable() for character in shown)
