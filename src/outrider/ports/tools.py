"""What the engine may ask of its session through MCP. Requests of a sandbox, never acts of a person."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class ChildWanted:
    """A child session as it is asked for; what is None is the asking session's. The same key is the same child; without
    one an engine's same words in one turn are."""

    prompt: str
    repository: str | None = None
    branch: str | None = None
    model: str | None = None
    title: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class ChildrenAwaited:
    """Which children to wait for (all where none is named), whether for `all` or `any` of them, and how long."""

    sessions: tuple[str, ...]
    which: Literal["all", "any"]
    seconds: float


class SessionTools(Protocol):
    """The tools of one session. Each returns plain text for the engine; a refusal raises OutriderError."""

    async def run_checks(self) -> str:
        """Run the repository's checks on the committed head, in clean sandboxes, and say what they show."""

    async def open_pull_request(self, title: str, body: str) -> str:
        """Push the committed head to the session's branch and have a pull request for it. Returns its URL."""

    async def spawn_session(self, wanted: ChildWanted) -> str:
        """Start another session, a child of this one, in the name of whose prompt runs. Returns its id."""

    async def send_to_session(self, session: str, prompt: str, key: str | None) -> str:
        """Send a child of this session another prompt."""

    async def wait_for_sessions(self, awaited: ChildrenAwaited) -> str:
        """Wait for children to come to rest, for a while, and say what came of those that did."""

    async def list_sessions(self) -> str:
        """Every session of the tree, as it is now."""
