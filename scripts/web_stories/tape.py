"""A tape that events are recorded on."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from outrider.model.attachment import Attachment
from outrider.model.engine import (
    EngineSessionId,
    PermissionAsk,
    PlanEntry,
    Speaker,
    ToolCallUpdate,
    ToolContent,
    ToolKind,
    ToolStatus,
    Usage,
)
from outrider.model.events import (
    EngineAttached,
    Event,
    PermissionDecided,
    PlanChanged,
    PromptHanded,
    PromptQueued,
    Recorded,
    SandboxReady,
    SandboxRequested,
    StageReported,
    SyncFinished,
    TextSealed,
    ToolCallChanged,
    TurnStarted,
    UsageRecorded,
)
from outrider.model.ids import (
    MessageId,
    PromptId,
    SandboxId,
    SessionId,
    ToolCallId,
    TurnId,
)
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.model.sandbox import Isolation, LimitTier, SandboxHandle
from web_stories.money import ADA, START, sha


class Tape:
    """Events of one session in order, each some seconds after the one before."""

    def __init__(self, session: str, start: datetime = START) -> None:
        self.session = SessionId(session)
        self.events: list[Recorded] = []
        self._at = start
        self._calls = 0
        self._messages = 0

    def add(self, event: Event, after_seconds: float = 0.1) -> None:
        """One more event."""
        self._at += timedelta(seconds=after_seconds)
        self.events.append(Recorded(seq=len(self.events) + 1, at=self._at, event=event))

    def say(self, turn: str, *segments: str, speaker: Speaker = Speaker.AGENT) -> None:
        """A message of the agent in sealed segments."""
        self._messages += 1
        offset = 0
        for text in segments:
            message = MessageId(f"m-{self._messages}")
            self.add(TextSealed(turn=TurnId(turn), message=message, speaker=speaker, offset=offset, text=text), 1.4)
            offset += len(text)

    def call(  # noqa: PLR0913  the parts of a tool call
        self,
        turn: str,
        title: str,
        kind: ToolKind,
        *,
        given: object = None,
        content: Sequence[ToolContent] = (),
        seconds: float = 0.2,
        paths: tuple[str, ...] = (),
        failed: bool = False,
    ) -> None:
        """A tool call from its beginning to its end."""
        self._calls += 1
        tool_call = ToolCallId(f"call-{self._calls}")

        def change(update: ToolCallUpdate, after: float) -> None:
            self.add(ToolCallChanged(turn=TurnId(turn), update=update), after)

        begun = ToolCallUpdate(tool_call=tool_call, title=title, kind=kind, status=ToolStatus.PENDING, paths=paths)
        change(begun, 0.6)
        if kind in (ToolKind.EDIT, ToolKind.EXECUTE):
            ask = PermissionAsk(tool_call=tool_call, title=title, kind=kind)
            self.add(PermissionDecided(turn=TurnId(turn), ask=ask, allowed=True), 0.02)
        running = ToolCallUpdate(tool_call=tool_call, status=ToolStatus.IN_PROGRESS, input=json.dumps(given, indent=2))
        change(running, 0.05)
        status = ToolStatus.FAILED if failed else ToolStatus.COMPLETED
        change(ToolCallUpdate(tool_call=tool_call, status=status, content=tuple(content)), seconds)

    def plan(self, turn: str, done: int, *lines: str) -> None:
        """The plan with its first `done` lines done and the next one under way."""
        entries = tuple(
            PlanEntry(text=line, status="completed" if i < done else "in_progress" if i == done else "pending")
            for i, line in enumerate(lines)
        )
        self.add(PlanChanged(turn=TurnId(turn), entries=entries), 0.3)

    def usage(self, turn: str, tokens_in: int, tokens_out: int, cost: float | None) -> None:
        """One call of the model."""
        self._calls += 1
        usage = Usage(
            call=f"llm-{self._calls}",
            model="claude-sonnet-4-5",
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cache_read_tokens=tokens_in * 3,
            cost_usd=cost,
        )
        self.add(UsageRecorded(turn=TurnId(turn), usage=usage), 0.01)

    def prompt(
        self, prompt: str, text: str, person: Person = ADA, via: str = "web", files: tuple[Attachment, ...] = ()
    ) -> None:
        """A person's prompt."""
        author = Author(person=person, via=via)
        self.add(PromptQueued(prompt=Prompt(id=PromptId(prompt), author=author, text=text, attachments=files)), 2.0)

    def prepare(self, sandbox: str, *, warm: bool = False) -> None:
        """A sandbox and the stages until it is ready."""
        self.add(SandboxRequested(sandbox=SandboxId(sandbox)))
        stages = [("sandbox", "Leased a warm sandbox", 0.04)] if warm else COLD_STAGES
        for stage, text, seconds in stages:
            self.add(StageReported(stage=stage, text=text, seconds=seconds), seconds)
        handle = SandboxHandle(id=SandboxId(sandbox), provider="namespaces")
        ready = SandboxReady(
            handle=handle,
            isolation=Isolation.SHARED_KERNEL,
            limit_tier=LimitTier.CGROUP,
            commit=sha("base"),
            seconds=sum(stage[2] for stage in stages),
        )
        self.add(ready)
        self.add(SyncFinished(commit=sha("base"), from_commit=sha("base"), moved=False, seconds=0.1))

    def begin(self, turn: str, prompt: str, how: str = "new") -> None:
        """A turn up to the handing of its prompt."""
        self.add(TurnStarted(turn=TurnId(turn), prompt=PromptId(prompt)))
        session = EngineSessionId("ses_4f1c")
        self.add(EngineAttached.model_validate({"engine": "opencode", "engine_session": session, "how": how}), 0.4)
        self.add(PromptHanded(turn=TurnId(turn), attempt=1, round=1))

    def write(self, folder: Path) -> None:
        """The file of this session."""
        rows = [json.loads(event.model_dump_json()) for event in self.events]
        path = folder / f"{self.session}.json"
        path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", "utf-8")


COLD_STAGES = [
    ("image", "Built the image of ledger at 41c3f0a", 21.4),
    ("clone", "Fetched main", 0.31),
    ("setup", "Ran `uv sync`", 3.86),
    ("engine", "Started OpenCode 1.18", 1.92),
]
