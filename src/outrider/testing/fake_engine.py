"""An engine that plays what a test tells it to: text, tool calls, waiting, dying. No process, no model.

    steps = [say("Looking."), write_file("a.txt", "1\n"), shell("git add -A && git commit -qm One"), say("Done.")]
    engine = FakeEngine({"": steps})

A prompt plays the steps of the first key that is in it; `""` is in every prompt.
"""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from outrider.engines.diffs import unified_diff
from outrider.model.engine import (
    EngineSessionId,
    EngineStop,
    EngineUpdate,
    PermissionAsk,
    Speaker,
    TextDelta,
    ToolCallUpdate,
    ToolContent,
    ToolKind,
    ToolStatus,
    ToolText,
)
from outrider.model.errors import EngineError, TurnFailed
from outrider.model.ids import MessageId, ToolCallId, new_id
from outrider.ports.engine import EngineLaunch, EngineListener, FilePart, ImagePart, Part
from outrider.ports.sandbox import ExecSpec, Guest


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step may use while it plays."""

    guest: Guest
    workspace: str
    listener: EngineListener
    prompt: str
    asks: bool = True

    def tell(self, update: EngineUpdate) -> None:
        """Say something to whoever listens."""
        self.listener.update(update)


Step: TypeAlias = Callable[[Stage], Awaitable[EngineStop | None]]
"""Does something; a stop reason ends the turn."""


def say(text: str, *, speaker: Speaker = Speaker.AGENT) -> Step:
    """Say a text, in two pieces as engines do."""

    async def play(stage: Stage) -> None:
        message, half = MessageId(new_id("m")), len(text) // 2
        for piece in filter(None, (text[:half], text[half:])):
            stage.tell(TextDelta(message=message, speaker=speaker, text=piece))
            await asyncio.sleep(0)

    return play


def shell(command: str) -> Step:
    """Run a command in the workspace, as a tool call that asks first."""

    async def run(stage: Stage) -> tuple[ToolContent, ...]:
        spec = ExecSpec(argv=("/bin/sh", "-c", command), cwd=stage.workspace)
        result = await stage.guest.run(spec, timeout_seconds=600)
        return (ToolText(text=result.output.decode(errors="replace")[-60_000:]),)

    return use_tool(command, ToolKind.EXECUTE, run)


def write_file(path: str, text: str) -> Step:
    """Write a file of the workspace, as a tool call that asks first and shows a diff."""

    async def run(stage: Stage) -> tuple[ToolContent, ...]:
        place = shlex.quote(path)
        write = f"mkdir -p $(dirname {place}) && cat > {place}"
        await stage.guest.run(ExecSpec(argv=("/bin/sh", "-c", write), cwd=stage.workspace), stdin=text.encode())
        return (unified_diff(f"{stage.workspace}/{path}", None, text),)

    return use_tool(path, ToolKind.EDIT, run)


def use_tool(title: str, kind: ToolKind, run: Callable[[Stage], Awaitable[tuple[ToolContent, ...]]]) -> Step:
    """Any tool call that asks first. A denied one fails and ends the turn."""

    async def play(stage: Stage) -> EngineStop | None:
        call = ToolCallId(new_id("call"))
        stage.tell(ToolCallUpdate(tool_call=call, title=title, kind=kind, status=ToolStatus.PENDING))
        ask = PermissionAsk(tool_call=call, title=title, kind=kind)
        if stage.asks and not await stage.listener.permission(ask):
            refusal = (ToolText(text="The user rejected permission to use this specific tool call."),)
            stage.tell(ToolCallUpdate(tool_call=call, status=ToolStatus.FAILED, content=refusal))
            return EngineStop.END_TURN
        stage.tell(ToolCallUpdate(tool_call=call, status=ToolStatus.IN_PROGRESS))
        content = await run(stage)
        stage.tell(ToolCallUpdate(tool_call=call, status=ToolStatus.COMPLETED, content=content))
        return None

    return play


def wait_for(gate: asyncio.Event) -> Step:
    """Go on when the test says so."""

    async def play(stage: Stage) -> None:
        await gate.wait()

    return play


def hang() -> Step:
    """Do nothing more, until stopped."""
    return wait_for(asyncio.Event())


def stop(reason: EngineStop) -> Step:
    """End the turn for this reason."""

    async def play(stage: Stage) -> EngineStop:
        return reason

    return play


def fail(sentence: str) -> Step:
    """End the turn as where the model refuses; the engine lives."""

    async def play(stage: Stage) -> None:
        raise TurnFailed(sentence)

    return play


def die(sentence: str = "The engine fake ended with exit code 137.") -> Step:
    """End the engine."""

    async def play(stage: Stage) -> None:
        raise EngineError(sentence)

    return play


SAVED = "All of it is in: "
"""What stands before the path of a file with a tool's whole output."""


@dataclass
class FakeEngine:
    """Plays the steps of the first key that is in a prompt. `stubborn` ones do not hear `cancel`."""

    plays: Mapping[str, Sequence[Step]]
    stubborn: bool = False
    name: str = "fake"
    asks: bool = True
    """Whether its tools ask first."""
    opened: list[EngineLaunch] = field(default_factory=list)
    """How it was started, each time."""
    prompts: list[tuple[str, ...]] = field(default_factory=list)
    """What it was given, in all its sessions."""
    files: list[tuple[ImagePart | FilePart, ...]] = field(default_factory=list)
    """What came with each of them."""
    sessions: list["FakeSession"] = field(default_factory=list)

    async def open(self, guest: Guest, launch: EngineLaunch, listener: EngineListener) -> "FakeSession":
        """Take up a session that it had, or a new one."""
        self.opened.append(launch)
        session = FakeSession(self, guest, launch, listener)
        self.sessions.append(session)
        return session

    def saved_output(self, text: str) -> str | None:
        """In words of its own."""
        return text.strip().removeprefix(SAVED) if text.startswith(SAVED) else None

    def steps(self, prompt: str) -> Sequence[Step]:
        """What to play."""
        return next((steps for key, steps in self.plays.items() if key in prompt), ())


class FakeSession:
    """A session of a fake engine."""

    def __init__(self, engine: FakeEngine, guest: Guest, launch: EngineLaunch, listener: EngineListener) -> None:
        self.resumed = launch.resume is not None and launch.resume in {session.id for session in engine.sessions}
        self.id: EngineSessionId = launch.resume if launch.resume and self.resumed else EngineSessionId(new_id("fake"))
        self.alive = True
        self._engine = engine
        self._guest = guest
        self._workspace = launch.workspace
        self._listener = listener
        self._turn: asyncio.Timeout | None = None
        self.primed = False
        self._ended = asyncio.Event()

    async def prime(self) -> None:
        """Nothing to load."""
        self._live()
        self.primed = True

    def listen(self, listener: EngineListener) -> None:
        """From now on this one hears it."""
        self._listener = listener

    async def prompt(self, parts: Sequence[Part]) -> EngineStop:
        """Play the steps for it."""
        self._live()
        texts = [part for part in parts if isinstance(part, str)]
        self._engine.prompts.append(tuple(texts))
        self._engine.files.append(tuple(part for part in parts if not isinstance(part, str)))
        stage = Stage(self._guest, self._workspace, self._listener, "\n".join(texts), self._engine.asks)
        try:
            async with asyncio.timeout(None) as self._turn:
                return await self._play(stage)
        except TimeoutError:
            self._live()
            return EngineStop.CANCELLED
        finally:
            self._turn = None

    async def _play(self, stage: Stage) -> EngineStop:
        try:
            for step in self._engine.steps(stage.prompt):
                if reason := await step(stage):
                    return reason
        except TurnFailed:
            raise
        except EngineError:
            self.alive = False
            self._ended.set()
            raise
        return EngineStop.END_TURN

    async def cancel(self) -> None:
        """Stop playing, unless it is stubborn."""
        if not self._engine.stubborn:
            self._interrupt()

    async def ended(self) -> None:
        """Return when it is over."""
        await self._ended.wait()

    async def close(self) -> None:
        """End it: a prompt that is played fails."""
        self.alive = False
        self._ended.set()
        self._interrupt()

    def _interrupt(self) -> None:
        if self._turn:
            self._turn.reschedule(0)

    def _live(self) -> None:
        if not self.alive:
            raise EngineError("The engine fake has ended.")


class SilentEngine(FakeEngine):
    """Never says anything; can be cancelled."""

    def __init__(self) -> None:
        super().__init__({"": [hang()]})


class DyingEngine(FakeEngine):
    """Dies in the middle of a sentence."""

    def __init__(self) -> None:
        super().__init__({"": [say("I will begin by"), die()]})


class StubbornEngine(FakeEngine):
    """Does not hear `cancel`: only its end ends its turn."""

    def __init__(self, *before: Step) -> None:
        super().__init__({"": [*before, hang()]}, stubborn=True)
