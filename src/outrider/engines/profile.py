"""What makes one ACP engine differ from another: how it is started, and where it strays from the protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from outrider.ports.engine import EngineLaunch


class Resume(StrEnum):
    """How an engine takes up a session of its own again. Tried by us, whatever it advertises."""

    RESUME = "session/resume"
    LOAD = "session/load"
    """Replays the whole session as updates, which are dropped."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Start:
    """An engine's command in the guest."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    home: str = "/home/agent/.outrider-engine"
    """A folder of the engine's own, made before it starts: `files` are written there, and what it says on stderr."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Text by path below `home`."""
    mcp_urls: Mapping[str, str] = field(default_factory=dict)
    """MCP servers over HTTP, by the name that the engine puts before their tools."""


class Profile:
    """One kind of engine."""

    name: str
    resume: Resume = Resume.RESUME
    asks: bool = True
    """Whether it asks for permission before it edits, runs commands or uses our tools, and reads without asking."""

    def start(self, launch: EngineLaunch) -> Start:
        """How to start it. Raises EngineError where it cannot use the model."""
        raise NotImplementedError

    def saved_output(self, text: str) -> str | None:
        """The absolute path of a file with a tool's whole output, where its text names one."""
        return None
