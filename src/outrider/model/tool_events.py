"""Events of tool calls beyond their coming and going. Part of `model.events`."""

from typing import Literal

from pydantic import Field

from outrider.model.base import Model
from outrider.model.ids import ArtifactId, ToolCallId, TurnId


class ToolLogKept(Model):
    """A tool printed more than the transcript holds: all of it, or, where `whole` is false, its beginning and its end,
    is kept as an artifact."""

    type: Literal["tool_log_kept"] = "tool_log_kept"
    turn: TurnId
    tool_call: ToolCallId
    artifact: ArtifactId
    bytes: int = Field(ge=0, description="What the tool printed, as the sandbox says")
    whole: bool
