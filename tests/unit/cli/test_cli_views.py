"""Where a session is shown."""

import io
import json
import os
import pty
from collections.abc import Callable

import pytest
from rich.console import Console

from outrider.cli.views import JsonView, Plain, Screen, View, make_view
from outrider.model import events
from outrider.model.engine import Speaker
from outrider.model.feed import DeltaFrame, EventsFrame, ProgressFrame, ServerFrame
from outrider.model.ids import MessageId, TurnId

Tape = Callable[..., EventsFrame]


def show(view: View, *frames: ServerFrame) -> None:
    for frame in frames:
        view.frame(frame.model_dump_json(), frame)


def typed(text: str) -> DeltaFrame:
    return DeltaFrame(
        turn=TurnId("t-1"), message=MessageId("m-1"), speaker=Speaker.AGENT, offset=0, text=text, after_seq=0
    )


def stage(text: str, seconds: float | None = None) -> events.Event:
    return events.StageReported(stage="image", text=text, seconds=seconds)


def test_json_is_each_event_as_it_came_and_last_the_result(tape: Tape) -> None:
    out = io.StringIO()
    view = JsonView(out)
    frame = tape(stage("Bücher binden"))
    show(view, frame, typed("not an event"), ProgressFrame(stage="image", text="50 %"))
    view.result({"ok": True, "session": "s-aaaa"})
    first, last = out.getvalue().splitlines()
    assert json.loads(first) == json.loads(frame.events[0].model_dump_json())
    assert "Bücher" in first
    assert json.loads(last) == {"result": {"ok": True, "session": "s-aaaa"}}


def test_json_keeps_sentences_apart(capsys: pytest.CaptureFixture[str]) -> None:
    JsonView(io.StringIO()).say("The server went away.")
    assert capsys.readouterr() == ("", "The server went away.\n")


def test_plain_lines_announce_what_takes_long_and_close_what_was_open(tape: Tape) -> None:
    out = io.StringIO()
    view = Plain(Console(file=out, width=60), "http://localhost:4100")
    show(view, tape(stage("Building the image")), tape(stage("Built the image", 12.0)), typed("I begin"))
    assert out.getvalue() == "  … Building the image\n  ✓ Built the image  12.0 s\n\n"
    view.close()
    assert out.getvalue().endswith("I begin\n")


def test_a_terminal_shows_what_goes_on_and_leaves_no_trace_of_it(tape: Tape) -> None:
    out = io.StringIO()
    view = Screen(Console(file=out, width=60, force_terminal=True, color_system=None), "http://localhost:4100")
    show(view, tape(stage("Building the image")), ProgressFrame(stage="image", text="Unpacking libc6"))
    show(view, tape(stage("Built the image", 12.0)), typed("I begin"))
    view.close()
    assert "  ✓ Built the image  12.0 s\n" in out.getvalue()
    assert out.getvalue().rstrip("\n").endswith("I begin")
    assert out.getvalue().endswith("\n")


def test_plain_says_how_far_an_import_is_and_why_a_model_is_silent() -> None:
    out = io.StringIO()
    view = Plain(Console(file=out, width=60), "http://localhost:4100")
    half = ProgressFrame(stage="import", text="Receiving objects: 50 %")
    show(view, half, half, ProgressFrame(stage="model", text="The model's provider is overloaded (529)."))
    told = ["  … Receiving objects: 50 %", "  … The model's provider is overloaded (529)."]
    assert out.getvalue().splitlines() == told


def test_json_is_taken_where_it_is_asked_for() -> None:
    assert isinstance(make_view("http://localhost", as_json=True), JsonView)


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(make_view("http://localhost", as_json=False), Plain)


def test_a_terminal_gets_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        monkeypatch.setenv("TERM", "xterm")
        view = make_view("http://localhost", as_json=False)
        assert isinstance(view, Screen)
        view.close()
    os.close(ours)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("completed", ""),
        ("stopped", ""),
        ("checks_red", "This counts as failed: on the result a check is red.\n"),
        ("checks_not_run", "This counts as failed: the checks could not be run, so nothing is proved.\n"),
        ("setup_failed", "This counts as failed: there are no checks, and the set-up fails on the result.\n"),
    ],
)
def test_a_turn_that_ran_to_its_end_and_is_no_success_is_explained(reason: str, said: str) -> None:
    out = io.StringIO()
    Plain(Console(file=out, width=100), "http://localhost:4100").result({"ok": not said, "reason": reason})
    assert out.getvalue() == said
