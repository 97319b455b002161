"""Scripts: what the rehearsal model says and does, and which step of it comes next.

The next step is a pure function of the conversation. Nothing is counted or remembered between requests, so that an
engine which was killed, resumed or asked twice gets the same answer to the same question.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, model_validator

from outrider.model.base import Model
from outrider.model.engine import TRANSCRIPT_OPENING
from outrider.model.errors import BadRequest
from outrider.rehearsal.conversation import Author, Conversation, Message, tool_named

SCRIPT_LIMIT_BYTES = 1 << 20
"""A script file is hand-written text; one beyond this is a mistake."""

_CALL_ID = re.compile(r"^toolu_rehearsal_(?P<script>[a-z0-9-]+)_(?P<step>\d+)_(?P<call>\d+)_\d+$")
_INTERRUPTED = re.compile(r"tool execution (was )?(interrupted|aborted)", re.IGNORECASE)
_NOTE = re.compile(r"\b(interrupted|continue|resume|go on)\b", re.IGNORECASE)
_REMINDER = "<system-reminder>"


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class ScriptedCall(Model):
    """A tool call. A result in which `expect` is not found ends the script with a sentence that says so."""

    tool: str = Field(min_length=1, max_length=100)
    input: Mapping[str, Any] = {}
    expect: Pattern = ""


class ScriptedStep(Model):
    """One answer of the model: prose, then tool calls. `repeat` says the prose that many times, for long answers."""

    text: str = ""
    repeat: int = Field(default=1, ge=1, le=1_000_000)
    calls: tuple[ScriptedCall, ...] = ()


class Script(Model):
    """What the model does with a prompt in which `match` is found. Only the last step has no calls."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    title: str = Field(min_length=1, max_length=80)
    prompt: str = Field(min_length=1, description="The prompt to offer to people; `match` finds it")
    match: Pattern
    remembers: Pattern = Field(default="", description="Only where this is found in a transcript beside the prompt")
    steps: tuple[ScriptedStep, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _is_playable(self) -> "Script":
        if not re.search(self.match, self.prompt):
            raise ValueError("`match` does not find `prompt`")
        if self.steps[-1].calls or not all(step.calls for step in self.steps[:-1]):
            raise ValueError("every step but the last has tool calls, and the last has none")
        return self

    def fits(self, message: Message) -> bool:
        """Whether this message of a person asks for this script."""
        told = [text for text in message.texts if text.lstrip().startswith(TRANSCRIPT_OPENING)]
        asked = any(re.search(self.match, text) for text in message.texts if text not in told)
        return asked and (not self.remembers or any(re.search(self.remembers, text) for text in told))


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as it goes on the wire."""

    id: str
    tool: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answers: prose said `repeat` times, then tool calls."""

    text: str
    repeat: int = 1
    calls: tuple[Call, ...] = ()


class NoScript(BadRequest):
    """The rehearsal model was asked for something that no script plays."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        offer = f", or use the demo prompt: {scripts[0].prompt}" if scripts else "."
        super().__init__(
            "The rehearsal model plays only its scripts and has none for this prompt.",
            f"Set ANTHROPIC_API_KEY or OPENAI_API_KEY{offer}",
        )


def load_scripts(path: Path) -> tuple[Script, ...]:
    """The script in a TOML file, or all `*.toml` of a folder in the order of their names. Raises BadRequest."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return tuple(_load(file) for file in files)


def _load(file: Path) -> Script:
    try:
        data = file.read_bytes()
        if len(data) > SCRIPT_LIMIT_BYTES:
            raise ValueError(f"it is larger than {SCRIPT_LIMIT_BYTES} bytes")
        return Script.model_validate(tomllib.loads(data.decode()))
    except (OSError, ValueError, ValidationError) as error:
        raise BadRequest(f"{file.name} is not a rehearsal script: {error}") from error


def built_in_scripts() -> tuple[Script, ...]:
    """The scripts that come with Outrider, for its demo repository."""
    return load_scripts(Path(__file__).parent / "scripts")


def answer(scripts: Sequence[Script], conversation: Conversation) -> Answer:
    """What the model says next. A request without tools is a side call for a title or a summary.

    Raises NoScript where the person's last prompt asks for no script.
    """
    if not conversation.tools:
        return Answer(_title(scripts, conversation.messages))
    start, script = _prompt(scripts, conversation.messages)
    return _numbered(script, next_step(script, conversation.messages[start + 1 :]), conversation)


def _title(scripts: Sequence[Script], messages: Sequence[Message]) -> str:
    fitting = (script.title for message in messages for script in scripts if script.fits(message))
    return next(fitting, "Rehearsal")


def _prompt(scripts: Sequence[Script], messages: Sequence[Message]) -> tuple[int, Script]:
    """Where the prompt that is being worked on stands, and its script. Notes after it are passed over: that the turn
    was interrupted, alone or with the same prompt once more."""
    repeated: tuple[int, Script] | None = None
    for index in reversed(range(len(messages))):
        said = _said(messages[index])
        found = next((script for script in scripts if script.fits(said)), None)
        note = any(_NOTE.search(text) for text in said.texts if not text.lstrip().startswith(TRANSCRIPT_OPENING))
        if repeated and found and found != repeated[1]:
            break
        if found and not note:
            return index, found
        repeated = (index, found) if found else repeated
        if said.texts and not note:
            break
    if repeated is None:
        raise NoScript(scripts)
    return repeated


def _said(message: Message) -> Message:
    """What the person said in a message, without what the engine put between."""
    if message.author is Author.MODEL:
        return Message(Author.MODEL)
    return Message(Author.PERSON, tuple(t for t in message.texts if not t.lstrip().startswith(_REMINDER)))


def next_step(script: Script, messages: Sequence[Message]) -> int | ScriptedStep:
    """The number of the first step whose calls have not all come back, given what was said after the prompt. An
    interrupted call has not come back. A step of its own where a result is not what the script expects."""
    results = dict(_results(script, messages))
    for number, step in enumerate(script.steps):
        for index, call in enumerate(step.calls):
            text = results.get((number, index))
            if text is None:
                return number
            if not re.search(call.expect, text):
                return _surprised(call)
    return len(script.steps) - 1


def _results(script: Script, messages: Sequence[Message]) -> Iterator[tuple[tuple[int, int], str]]:
    for result in (result for message in messages for result in message.results):
        ours = _CALL_ID.match(result.call)
        if ours and ours["script"] == script.name and not _INTERRUPTED.search(result.text):
            yield (int(ours["step"]), int(ours["call"])), result.text


def _surprised(call: ScriptedCall) -> ScriptedStep:
    return ScriptedStep(
        text=f"My script expects `{call.expect}` in what `{call.tool}` gives back, and it is not there. "
        "This is a rehearsal and no model: I cannot go on from here."
    )


def _numbered(script: Script, step: int | ScriptedStep, conversation: Conversation) -> Answer:
    """The answer with the engine's names of the tools, and ids that say which call of which step each is. The last
    number only keeps the ids of a repeated step apart."""
    if isinstance(step, ScriptedStep):
        return Answer(step.text)
    scripted = script.steps[step]
    asked = sum(message.author is Author.MODEL for message in conversation.messages)
    calls = []
    for index, call in enumerate(scripted.calls):
        tool = tool_named(conversation.tools, call.tool)
        if tool is None:
            return Answer(
                f"My script calls the tool `{call.tool}`, which I am not offered here, so the rehearsal ends."
            )
        calls.append(Call(f"toolu_rehearsal_{script.name}_{step}_{index}_{asked}", tool, call.input))
    return Answer(scripted.text, scripted.repeat, tuple(calls))
