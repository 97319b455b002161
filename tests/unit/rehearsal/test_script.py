"""Which step comes next: a pure function of what was said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.model.errors import BadRequest
from outrider.rehearsal.conversation import Author, Conversation, Message, ToolResult
from outrider.rehearsal.script import (
    Answer,
    NoScript,
    Script,
    ScriptedCall,
    ScriptedStep,
    answer,
    built_in_scripts,
    load_scripts,
    next_step,
)

TOOLS = ("bash", "edit", "grep", "read", "outrider_run_checks", "outrider_open_pull_request")
SCRIPT = Script(
    name="tidy-up",
    title="Tidy up",
    prompt="Please tidy up",
    match="tidy up",
    steps=(
        ScriptedStep(text="One.", calls=(ScriptedCall(tool="read"), ScriptedCall(tool="grep"))),
        ScriptedStep(text="Two.", calls=(ScriptedCall(tool="bash", input={"command": "ls"}, expect="README"),)),
        ScriptedStep(text="Three.", calls=(ScriptedCall(tool="run_checks"),)),
        ScriptedStep(text="Done."),
    ),
)
OTHER = SCRIPT.model_copy(update={"name": "other", "prompt": "Say no", "match": "no$"})
INTERRUPTED = "[Tool execution was interrupted]"


def person(*texts: str) -> Message:
    return Message(Author.PERSON, texts)


def talk(*messages: Message, tools: tuple[str, ...] = TOOLS) -> Conversation:
    return Conversation("demo", messages, tools)


def played(conversation: Conversation, said: Answer, result: str = "README.md") -> Conversation:
    """The conversation after the model's answer was heard and its tools gave back `result`."""
    back = Message(Author.PERSON, results=tuple(ToolResult(call.id, result) for call in said.calls))
    messages = (*conversation.messages, Message(Author.MODEL, (said.text,)), *([back] if said.calls else []))
    return talk(*messages, tools=conversation.tools)


def played_to(step: int) -> Conversation:
    """The conversation when so many steps are done."""
    conversation = talk(person("Please tidy up"))
    for _ in range(step):
        conversation = played(conversation, answer([SCRIPT], conversation))
    return conversation


def test_a_script_is_played_from_its_prompt_to_its_end() -> None:
    said = [answer([SCRIPT], played_to(step)) for step in range(4)]
    assert [item.text for item in said] == ["One.", "Two.", "Three.", "Done."]
    assert [[call.tool for call in item.calls] for item in said] == [
        ["read", "grep"], ["bash"], ["outrider_run_checks"], [],
    ]  # fmt: skip


def test_a_step_is_played_again_until_all_its_calls_came_back() -> None:
    conversation = talk(person("Please tidy up"))
    first, _ = answer([SCRIPT], conversation).calls
    half = talk(*conversation.messages, Message(Author.PERSON, results=(ToolResult(first.id, "text"),)))
    assert answer([SCRIPT], half).text == "One."


def test_an_interrupted_step_is_repeated_under_new_ids() -> None:
    before = played_to(1)
    interrupted = played(before, answer([SCRIPT], before), INTERRUPTED)
    resumed = talk(*interrupted.messages, person("You were interrupted while you ran `ls`. Continue."))
    again = answer([SCRIPT], resumed)
    assert again.text == "Two."
    assert {call.id for call in again.calls}.isdisjoint(call.id for call in answer([SCRIPT], before).calls)


def test_a_failed_call_has_come_back() -> None:
    before = talk(person("Please tidy up"))
    denied = played(before, answer([SCRIPT], before), "The user rejected permission to use this specific tool call.")
    assert answer([SCRIPT], denied).text == "Two."


def test_a_result_that_the_script_does_not_expect_ends_it_with_the_truth() -> None:
    before = played_to(1)
    said = answer([SCRIPT], played(before, answer([SCRIPT], before), "No such file"))
    assert (said.calls, "README" in said.text, "rehearsal" in said.text) == ((), True, True)


def test_a_tool_that_is_not_offered_ends_it_with_the_truth() -> None:
    conversation = talk(*played_to(2).messages, tools=("bash", "read"))
    assert "run_checks" in answer([SCRIPT], conversation).text


def test_the_same_prompt_again_starts_again_with_ids_of_its_own() -> None:
    first = answer([SCRIPT], talk(person("Please tidy up")))
    over = talk(*played_to(4).messages, person("Please tidy up"))
    again = answer([SCRIPT], over)
    assert again.text == "One."
    assert {call.id for call in again.calls}.isdisjoint(call.id for call in first.calls)


def test_the_last_prompt_chooses_the_script() -> None:
    assert (
        answer([SCRIPT, OTHER], talk(*played_to(2).messages, person("Say no")))
        .calls[0]
        .id.startswith("toolu_rehearsal_other_0_")
    )


@pytest.mark.parametrize("after", range(5))
def test_a_prompt_without_a_script_is_refused_at_any_time(after: int) -> None:
    with pytest.raises(NoScript) as caught:
        answer([SCRIPT], talk(*played_to(after).messages, person("Write a poem")))
    assert str(caught.value) == (
        "The rehearsal model plays only its scripts and has none for this prompt. "
        "Set ANTHROPIC_API_KEY or OPENAI_API_KEY, or use the demo prompt: Please tidy up"
    )


def test_what_the_engine_puts_between_is_no_prompt() -> None:
    reminder = person("<system-reminder>\nUse the plan tool. Write a poem.\n</system-reminder>")
    assert answer([SCRIPT], talk(*played_to(1).messages, reminder)).text == "Two."


def test_a_side_call_without_tools_gets_a_title() -> None:
    side = talk(person("Generate a title for this conversation:", "Please tidy up"), tools=())
    assert answer([SCRIPT], side) == Answer("Tidy up")
    assert answer([SCRIPT], talk(person("Summarise"), tools=())) == Answer("Rehearsal")


@given(st.data())
def test_the_next_step_depends_on_what_came_back_and_on_nothing_else(data: st.DataObject) -> None:
    """However often a turn was interrupted and taken up again, the script goes on where it was."""
    conversation, done = talk(person("Please tidy up")), 0
    for interrupted in data.draw(st.lists(st.booleans(), max_size=12)):
        said = answer([SCRIPT], conversation)
        assert said.text == SCRIPT.steps[done].text
        if not said.calls:
            break
        conversation = played(conversation, said, INTERRUPTED if interrupted else "README.md")
        if interrupted:
            conversation = talk(*conversation.messages, person("The turn was interrupted; go on."))
        done += not interrupted
    assert next_step(SCRIPT, conversation.messages[1:]) == done


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 3", "name"),
        ("not toml", "not a rehearsal script"),
        ('name = "a"\ntitle = "A"\nprompt = "a"\nmatch = "b"\nsteps = [{}]', "`match` does not find `prompt`"),
        ('name = "a"\ntitle = "A"\nprompt = "a"\nmatch = "a"\nsteps = [{}, {}]', "the last has none"),
        ('name = "a"\ntitle = "A"\nprompt = "a"\nmatch = "(a"\nsteps = [{}]', "not a rehearsal script"),
    ],
)
def test_a_bad_script_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(BadRequest, match=r"mine\.toml") as caught:
        load_scripts(tmp_path)
    assert said in str(caught.value)


def test_every_built_in_script_finds_its_own_prompt() -> None:
    scripts = built_in_scripts()
    assert [answer(scripts, talk(person(script.prompt))).text for script in scripts] == [
        script.steps[0].text for script in scripts
    ]


AGAIN = "Your work on the following was interrupted: the server restarted. Go on to the end."


def test_the_prompt_once_more_with_a_note_goes_on_where_it_was() -> None:
    resumed = talk(*played_to(2).messages, person(AGAIN, "Please tidy up"))
    assert answer([SCRIPT], resumed).text == "Three."
    twice = talk(*resumed.messages, person(f"{AGAIN}\n\nPlease tidy up"))
    assert answer([SCRIPT], twice).text == "Three."


def test_a_note_with_the_prompt_starts_it_where_nothing_is_known_of_it() -> None:
    assert answer([SCRIPT], talk(person(AGAIN, "Please tidy up"))).text == "One."
    assert answer([SCRIPT, OTHER], talk(person("Say no"), person(AGAIN, "Please tidy up"))).text == "One."
