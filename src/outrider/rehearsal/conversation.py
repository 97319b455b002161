"""What an engine sends to its model, whichever wire it came over, cut down to what a script needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Author(StrEnum):
    """Whose message it is. What tools gave back comes from the person's side."""

    PERSON = "person"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back for the call of that id."""

    call: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Results in it came before its texts."""

    author: Author
    texts: tuple[str, ...] = ()
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One request to the model: all that was said so far, and the names of the tools it may call."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[str, ...] = ()
    stream: bool = True

    def tokens(self) -> int:
        """About how many tokens its texts are, by the rule of thumb of four characters a token."""
        return sum(_length(message) for message in self.messages) // 4 + 1


def _length(message: Message) -> int:
    return sum(map(len, message.texts)) + sum(len(result.text) for result in message.results)


def tool_named(offered: Sequence[str], name: str) -> str | None:
    """The offered tool of that name, or the one whose name ends with it: engines put the MCP server's name before."""
    if name in offered:
        return name
    return next((tool for tool in offered if tool.endswith(f"_{name}")), None)
