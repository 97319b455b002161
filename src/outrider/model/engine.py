"""What an engine says while it works, in ACP's words, parsed once by the adapter."""

from enum import StrEnum
from typing import Annotated, Literal, NewType

from pydantic import Field

from outrider.model.base import Model
from outrider.model.ids import MessageId, ToolCallId

EngineSessionId = NewType("EngineSessionId", str)

TRANSCRIPT_OPENING = "<session-transcript>"
"""How the story begins that an engine is told where it lost its memory: history, and no prompt."""


class ModelRef(Model):
    """`PROVIDER/NAME`, such as `anthropic/claude-sonnet-4-5`, `openai/gpt-5.1` or `rehearsal/demo`."""

    provider: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    name: str = Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "ModelRef":
        """From `PROVIDER/NAME`. Raises ValueError where it is not of that form."""
        provider, slash, name = text.partition("/")
        if not slash:
            raise ValueError(f"{text!r} is not PROVIDER/NAME")
        return cls(provider=provider, name=name)

    @property
    def is_rehearsal(self) -> bool:
        """Whether this is the scripted model and no LLM."""
        return self.provider == "rehearsal"


class Speaker(StrEnum):
    """Whose text it is: the agent's prose, or its thoughts."""

    AGENT = "agent"
    THOUGHT = "thought"


class ToolKind(StrEnum):
    """ACP's kinds of tool."""

    READ = "read"
    EDIT = "edit"
    DELETE = "delete"
    MOVE = "move"
    SEARCH = "search"
    EXECUTE = "execute"
    THINK = "think"
    FETCH = "fetch"
    SWITCH_MODE = "switch_mode"
    OTHER = "other"


class ToolStatus(StrEnum):
    """ACP's states of a tool call."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class ToolText(Model):
    """Text that a tool gave back, bounded; `truncated` says that the middle was dropped."""

    type: Literal["text"] = "text"
    text: str = Field(max_length=65_536)
    truncated: bool = False


class ToolDiff(Model):
    """A change to one file as a unified diff, bounded."""

    type: Literal["diff"] = "diff"
    path: str = Field(max_length=4096)
    diff: str = Field(max_length=262_144)
    truncated: bool = False


ToolContent = Annotated[ToolText | ToolDiff, Field(discriminator="type")]


class TextDelta(Model):
    """Some more text of a message."""

    type: Literal["text_delta"] = "text_delta"
    message: MessageId
    speaker: Speaker
    text: str


class ToolCallUpdate(Model):
    """A tool call began or changed; what is None did not change. `content` replaces what was there."""

    type: Literal["tool_call_update"] = "tool_call_update"
    tool_call: ToolCallId
    title: str | None = Field(default=None, max_length=1000)
    kind: ToolKind | None = None
    status: ToolStatus | None = None
    paths: tuple[str, ...] | None = Field(default=None, max_length=50)
    input: str | None = Field(default=None, max_length=16_384, description="What the tool was given, as JSON")
    content: tuple[ToolContent, ...] | None = None


class PlanEntry(Model):
    """One line of the agent's plan."""

    text: str = Field(max_length=1000)
    status: Literal["pending", "in_progress", "completed"]


class PlanUpdate(Model):
    """The whole plan as it is now."""

    type: Literal["plan_update"] = "plan_update"
    entries: tuple[PlanEntry, ...] = Field(max_length=100)


EngineUpdate = Annotated[TextDelta | ToolCallUpdate | PlanUpdate, Field(discriminator="type")]


class PermissionAsk(Model):
    """The engine wants to know whether it may run a tool."""

    tool_call: ToolCallId
    title: str = Field(max_length=1000)
    kind: ToolKind = ToolKind.OTHER


class EngineStop(StrEnum):
    """Why the engine's turn ended: ACP's stop reasons."""

    END_TURN = "end_turn"
    MAX_TOKENS = "max_tokens"
    MAX_TURN_REQUESTS = "max_turn_requests"
    REFUSAL = "refusal"
    CANCELLED = "cancelled"


class Usage(Model):
    """One LLM call as the gateway saw it. `cost_usd` is None where the price is not known: never 0 in silence."""

    call: str = Field(max_length=64)
    model: str = Field(max_length=240)
    input_tokens: int = Field(ge=0)
    """All that was read in, from a cache or not."""
    output_tokens: int = Field(ge=0)
    cache_read_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
