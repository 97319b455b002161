"""Engines: the coding programs that do the work, behind ACP. Workers that may crash; queue and stop are ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from outrider.model.engine import EngineSessionId, EngineStop, EngineUpdate, ModelRef, PermissionAsk
from outrider.ports.sandbox import Guest


@dataclass(frozen=True, slots=True)
class EngineLaunch:
    """How to start an engine for a session. Its model and tools are reached through the broker's port in the guest."""

    model: ModelRef
    workspace: str
    resume: EngineSessionId | None = None
    """The engine's own session to go on with; None starts a new one."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """For the commands that the engine runs: proxy and index settings of package clients."""
    fresh_home: bool = False
    """Whether the engine's own folder is put aside first: what is in it keeps the engine from starting."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of the prompt that lies in the guest at the absolute `path`."""

    path: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image to be shown to the model; where the engine cannot, it is a file like any other."""

    data: bytes
    file: FilePart


Part = str | ImagePart | FilePart
"""A piece of a prompt."""


class EngineListener(Protocol):
    """Who hears the engine. Calls come in the engine's order."""

    def update(self, update: EngineUpdate) -> None:
        """The engine said or did something. Must not block."""

    async def permission(self, ask: PermissionAsk) -> bool:
        """May the engine run this tool, once?"""


class EngineSession(Protocol):
    """A running engine with its session open."""

    id: EngineSessionId
    resumed: bool
    """Whether the engine's own session was taken up again."""

    async def prompt(self, parts: Sequence[Part]) -> EngineStop:
        """Give it a prompt and wait for the end of its turn. Raises EngineError where it dies or breaks ACP."""

    async def prime(self) -> None:
        """Have its process load now what it would load at its first prompt: a tiny prompt in a session that is thrown
        away, of which nobody hears anything. Raises EngineError."""

    def listen(self, listener: EngineListener) -> None:
        """From now on this one hears it, and is asked for permission."""

    async def cancel(self) -> None:
        """Ask it to stop; `prompt` then returns CANCELLED. Returns at once."""

    async def ended(self) -> None:
        """Return when the engine's process has ended, or cannot be reached any more."""

    async def close(self) -> None:
        """End the engine's process. No error where it is dead."""


class Engine(Protocol):
    """One kind of engine."""

    name: str
    asks: bool
    """Whether it asks before it edits files, runs commands or uses tools. One that does not gets its prompt only when
    the workspace is synced."""

    async def open(self, guest: Guest, launch: EngineLaunch, listener: EngineListener) -> EngineSession:
        """Start the engine in the guest and open its session. Where `resume` cannot be taken up, a new session is
        opened and `resumed` is False. Raises EngineError with what the engine last said on stderr."""

    def saved_output(self, text: str) -> str | None:
        """The file of the guest that holds a tool's whole output, where this beginning of it says so: an absolute path.
        Part of the text may be the tool's own, so the path may name any file of the guest."""
