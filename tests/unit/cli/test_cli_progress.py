"""When to stop looking at a session."""

from collections.abc import Callable

import pytest

from outrider.cli.follow import Exit, exit_code
from outrider.cli.progress import Goal, Progress
from outrider.model import events
from outrider.model.feed import EventsFrame, LiveFrame
from outrider.model.ids import PromptId, TurnId
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt

ADA = Person(name="Ada", email="ada@example.org")
Tape = Callable[..., EventsFrame]


def queued(prompt: str) -> events.Event:
    return events.PromptQueued(prompt=Prompt(id=PromptId(prompt), author=Author(person=ADA), text="x"))


def started(turn: str, prompt: str) -> events.Event:
    return events.TurnStarted(turn=TurnId(turn), prompt=PromptId(prompt))


def ended(turn: str) -> events.Event:
    return events.TurnEnded(turn=TurnId(turn), reason=events.TurnEndReason.COMPLETED, message="Done.")


def over_after(progress: Progress, tape: Tape, *steps: events.Event | LiveFrame) -> list[bool]:
    told = []
    for step in steps:
        progress.take(step if isinstance(step, LiveFrame) else tape(step))
        told.append(progress.over)
    return told


def test_the_first_prompt_is_meant_where_none_is_named(tape: Tape) -> None:
    progress = Progress(Goal.PROMPT)
    steps = [queued("p-1"), queued("p-2"), started("t-1", "p-1"), ended("t-1")]
    assert over_after(progress, tape, *steps) == [False, False, False, True]
    assert progress.seq == 4


def test_a_named_prompt_waits_for_its_own_turn(tape: Tape) -> None:
    steps = [queued("p-1"), started("t-1", "p-1"), queued("p-2"), ended("t-1"), started("t-2", "p-2"), ended("t-2")]
    assert over_after(Progress(Goal.PROMPT, prompt=PromptId("p-2")), tape, *steps) == [False] * 5 + [True]


def test_a_withdrawn_prompt_is_over(tape: Tape) -> None:
    withdrawn = events.PromptWithdrawn(prompt=PromptId("p-1"), by=ADA)
    assert over_after(Progress(Goal.PROMPT), tape, queued("p-1"), withdrawn) == [False, True]


def test_idle_is_known_only_when_live(tape: Tape) -> None:
    steps = [queued("p-1"), started("t-1", "p-1"), ended("t-1"), LiveFrame(seq=3), queued("p-2")]
    assert over_after(Progress(Goal.IDLE), tape, *steps) == [False, False, False, True, False]


def test_whoever_stays_is_never_done(tape: Tape) -> None:
    steps = [queued("p-1"), started("t-1", "p-1"), ended("t-1"), LiveFrame(seq=3)]
    assert not any(over_after(Progress(Goal.NEVER), tape, *steps))


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"ok": True, "reason": "completed"}, Exit.DONE),
        ({"ok": False, "reason": "completed"}, Exit.FAILED),
        ({"ok": False, "reason": "failed"}, Exit.FAILED),
        ({"ok": False, "reason": "stopped"}, Exit.STOPPED),
    ],
)
def test_the_exit_code_tells_success(result: dict[str, object], code: Exit) -> None:
    assert exit_code(result) is code
