"""ACP's updates become ours: in order, bounded, and lenient to what we do not know."""

import json
from typing import Any

import acp.schema as wire
import pytest

from outrider.engines.updates import CONTENT_LIMIT, INPUT_LIMIT, TEXT_LIMIT, UpdateParser
from outrider.model.engine import (
    EngineUpdate,
    PlanUpdate,
    Speaker,
    TextDelta,
    ToolCallUpdate,
    ToolDiff,
    ToolKind,
    ToolStatus,
    ToolText,
)


def parse(parser: UpdateParser, update: dict[str, Any]) -> EngineUpdate | None:
    return parser.update(wire.SessionNotification.model_validate({"sessionId": "s", "update": update}))


def said(text: str, message: str | None = "m1", kind: str = "agent_message_chunk") -> dict[str, Any]:
    return {"sessionUpdate": kind, "messageId": message, "content": {"type": "text", "text": text}}


def call(**fields: Any) -> dict[str, Any]:
    return {"sessionUpdate": "tool_call_update", "toolCallId": "c1", **fields}


def text(content: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": content}}


def diff(path: str, old: str | None, new: str) -> dict[str, Any]:
    return {"type": "diff", "path": path, "oldText": old, "newText": new}


def parsed_call(parser: UpdateParser, **fields: Any) -> ToolCallUpdate:
    update = parse(parser, call(**fields))
    assert isinstance(update, ToolCallUpdate)
    return update


def messages(*updates: dict[str, Any]) -> list[str]:
    parser = UpdateParser()
    return [parsed.message for update in updates if isinstance(parsed := parse(parser, update), TextDelta)]


@pytest.mark.parametrize("ids", [("m1", "m1"), (None, None)])
def test_one_message_has_one_id(ids: tuple[str | None, str | None]) -> None:
    one, two = messages(said("a", ids[0]), said("b", ids[1]))
    assert one == two


@pytest.mark.parametrize(
    "between", [[said("b", "m2")], [said("b", kind="agent_thought_chunk")], [call(status="pending")]]
)
def test_a_message_ends_where_something_else_comes_between(between: list[dict[str, Any]]) -> None:
    first, *_, last = messages(said("a"), *between, said("c"))
    assert first != last


def test_thoughts_are_told_from_prose() -> None:
    update = parse(UpdateParser(), said("Hm.", kind="agent_thought_chunk"))
    assert isinstance(update, TextDelta)
    assert (update.speaker, update.text) == (Speaker.THOUGHT, "Hm.")


def test_a_tool_call_is_taken_over() -> None:
    update = parsed_call(
        UpdateParser(), title="ls", kind="execute", status="in_progress", rawInput={"command": "ls"},
        locations=[{"path": "/workspace/a"}], content=[text("README.md")],
    )  # fmt: skip
    assert (update.title, update.kind, update.status) == ("ls", ToolKind.EXECUTE, ToolStatus.IN_PROGRESS)
    assert (update.paths, update.input) == (("/workspace/a",), '{"command": "ls"}')
    assert update.content == (ToolText(text="README.md"),)


def test_what_is_not_said_did_not_change() -> None:
    update = parsed_call(UpdateParser(), status="completed")
    assert (update.title, update.kind, update.paths, update.input, update.content) == (None,) * 5


def test_a_long_text_keeps_its_start_and_its_end() -> None:
    (kept,) = parsed_call(UpdateParser(), content=[text("start" + "x" * 1_000_000 + "end")]).content or ()
    assert isinstance(kept, ToolText)
    assert (len(kept.text) <= TEXT_LIMIT, kept.truncated) == (True, True)
    assert (kept.text[:5], kept.text[-3:]) == ("start", "end")


@pytest.mark.parametrize(
    "value", [{"content": "x" * 1_000_000}, {str(n): "y" * 1900 for n in range(90)}, ["z"] * 100_000, "w" * 100_000]
)
def test_a_large_input_stays_json(value: object) -> None:
    kept = parsed_call(UpdateParser(), rawInput=value).input
    assert kept is not None
    assert len(kept) <= INPUT_LIMIT
    json.loads(kept)


def test_a_flood_of_content_is_cut() -> None:
    assert len(parsed_call(UpdateParser(), content=[text("x")] * 5000).content or ()) == CONTENT_LIMIT


def test_the_change_that_was_asked_for_stays_with_its_call() -> None:
    parser = UpdateParser()
    ask, shown = parser.ask(
        wire.ToolCallUpdate.model_validate(
            call(title="a.txt", kind="edit", content=[diff("a.txt", "1\n2\n", "1\n3\n")])
        )
    )
    assert (ask.title, ask.kind) == ("a.txt", ToolKind.EDIT)
    assert shown is not None
    whole = shown.content
    assert isinstance(whole, tuple)
    # OpenCode shows only the part that it was told to replace once it is done.
    done = parsed_call(parser, status="completed", content=[text("ok"), diff("a.txt", "2", "3")])
    assert done.content == (ToolText(text="ok"), *whole)


def test_the_change_of_a_call_that_failed_is_not_shown() -> None:
    parser = UpdateParser()
    parser.ask(wire.ToolCallUpdate.model_validate(call(content=[diff("a.txt", "", "1\n")])))
    assert parsed_call(parser, status="failed", content=[text("no")]).content == (ToolText(text="no"),)
    assert parsed_call(parser, status="completed").content is None


def test_an_engine_that_shows_its_change_itself_is_believed() -> None:
    (shown,) = parsed_call(UpdateParser(), content=[diff("a.txt", None, "1\n")]).content or ()
    assert isinstance(shown, ToolDiff)
    assert shown.diff.startswith("--- /dev/null\n+++ a.txt\n")


def test_a_plan_is_taken_over() -> None:
    entry = {"content": "Look", "priority": "high", "status": "in_progress"}
    update = parse(UpdateParser(), {"sessionUpdate": "plan", "entries": [entry] * 300})
    assert isinstance(update, PlanUpdate)
    assert (len(update.entries), update.entries[0].text, update.entries[0].status) == (100, "Look", "in_progress")


def test_what_we_have_no_use_for_is_ignored() -> None:
    image = {"type": "image", "data": "", "mimeType": "image/png"}
    ignored = [
        {"sessionUpdate": "available_commands_update", "availableCommands": []},
        {"sessionUpdate": "agent_message_chunk", "content": image},
        said(""),
    ]
    parser = UpdateParser()
    assert [parse(parser, update) for update in ignored] == [None, None, None]


def test_a_place_in_a_file_names_its_line() -> None:
    update = parsed_call(UpdateParser(), locations=[{"path": "/a.py", "line": 7}, {"path": "/b.py"}])
    assert update.paths == ("/a.py:7", "/b.py")


def test_a_list_of_to_dos_is_a_plan() -> None:
    todos = [
        {"content": "Look", "status": "completed", "priority": "high"},
        {"content": "Mend", "status": "in_progress"},
        {"content": "Give up", "status": "cancelled"},
        "nonsense",
        {"status": "pending"},
    ]
    update = {"sessionId": "s", "update": call(rawInput={"todos": todos})}
    plan = UpdateParser().plan(wire.SessionNotification.model_validate(update))
    assert plan is not None
    assert [(entry.text, entry.status) for entry in plan.entries] == [("Look", "completed"), ("Mend", "in_progress")]


@pytest.mark.parametrize("given", [None, {"command": "ls"}, {"todos": "x"}, {"todos": []}, ["todos"]])
def test_other_input_is_no_plan(given: Any) -> None:
    update = {"sessionId": "s", "update": call(rawInput=given)}
    assert UpdateParser().plan(wire.SessionNotification.model_validate(update)) is None
