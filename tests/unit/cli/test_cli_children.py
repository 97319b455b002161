"""Sessions below those that started them, in the terminal."""

from typing import Any

import pytest
from rich.console import Console

from outrider.cli import draw_children
from outrider.cli.commands.children import draw
from outrider.cli.commands.sessions import below_parents
from outrider.model import children as k
from outrider.testing.children import CHILD, child_prompt, child_result
from outrider.testing.playbook import BOB


def row(name: str, parent: str | None = None) -> dict[str, Any]:
    return {"id": name, "title": name.upper(), "parent": parent}


def test_each_stands_below_the_session_that_started_it():
    rows = [row("c", "b"), row("x"), row("b", "a"), row("a"), row("lone", "not listed"), row("d", "a")]
    titles = [one["title"] for one in below_parents(rows)]
    assert titles == ["X", "A", "└ B", "  └ C", "└ D", "LONE"]


def test_the_list_says_how_each_ended_and_where_its_work_is():
    result = child_result().model_copy(update={"pull_request": "http://localhost/pulls/demo/1", "commits": 2})
    rows = [
        {"session": CHILD, "title": "A part", "state": "resting", "refusal": "", "result": result.model_dump()},
        {"session": "s-dddddddddd", "title": "Another", "state": "refused", "refusal": "No room.", "result": None},
    ]
    console = Console(width=100, record=True)
    draw(console, rows)
    said = console.export_text()
    assert "completed" in said
    assert "http://localhost/pulls/demo/1" in said
    assert "No room." in said


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (k.ChildSpawned(child=CHILD), f"outrider attach {CHILD}"),
        (k.ChildPrompted(child=CHILD, prompt=child_prompt(2)), "a prompt: do a part"),
        (k.ChildEnded(child=CHILD, prompts=1, result=child_result()), "rests (completed): Nothing was changed."),
        (k.ChildrenStopRequested(children=(CHILD,), by=BOB), "Bob asked that these stop too"),
    ],
)
def test_a_line_in_the_transcript(event: Any, line: str):
    assert line in draw_children.note(event)


def test_what_was_refused_is_a_warning():
    assert "could not be started: No room." in draw_children.warning(k.ChildRefused(child=CHILD, reason="No room."))
