"""Events of a session's sandbox: how it comes, how its workspace is synced, how it goes. Part of `model.events`."""

from typing import Annotated, Literal

from pydantic import Field

from outrider.model.base import Model, Sentence
from outrider.model.ids import LayerId, SandboxId, TurnId
from outrider.model.person import Person
from outrider.model.repository import CommitHash
from outrider.model.sandbox import Isolation, LimitTier, SandboxHandle


class Step(Model):
    """One step of a start or a sync, and how long it took."""

    name: str = Field(max_length=40, pattern=r"^[a-z][a-z -]*$")
    seconds: float = Field(ge=0)


Steps = Annotated[tuple[Step, ...], Field(max_length=32, description="What was done, one after the other")]


class SandboxRequested(Model):
    """The session needs a sandbox of this id."""

    type: Literal["sandbox_requested"] = "sandbox_requested"
    sandbox: SandboxId


StartPath = Literal["adopted", "restored", "warm", "image", "cold"]
"""How a session came by its sandbox: one that it had, from a snapshot, from the pool, from its repository's image, or
from the machine image with a fresh clone."""


class SandboxReady(Model):
    """The sandbox can be reached, and its workspace has files to read, which stand on `commit`. They may be older than
    the session's own commit until it is synced."""

    type: Literal["sandbox_ready"] = "sandbox_ready"
    handle: SandboxHandle
    isolation: Isolation
    limit_tier: LimitTier
    commit: CommitHash
    seconds: float = Field(ge=0)
    how: StartPath = "cold"
    layers: tuple[LayerId, ...] = Field(default=(), max_length=64, description="What it was made from, bottom first")
    toolbox: LayerId | None = None
    steps: Steps = ()


class SyncFinished(Model):
    """The workspace is on the session's commit and set up: edits, commands and tools may run from here on."""

    type: Literal["sync_finished"] = "sync_finished"
    commit: CommitHash
    from_commit: CommitHash = Field(description="Where the workspace stood before")
    moved: bool = Field(description="Whether the files are others than those that could be read before")
    seconds: float = Field(ge=0)
    setup_ran: bool = False
    files: tuple[str, ...] = Field(default=(), max_length=50, description="The first of the paths that differ")
    files_changed: int = Field(default=0, ge=0, description="How many paths differ, as far as that is known")
    steps: Steps = ()


class SyncFailed(Model):
    """The workspace could not be brought to the session's commit. Nothing was changed; the next prompt tries again."""

    type: Literal["sync_failed"] = "sync_failed"
    reason: Sentence
    remedy: Sentence = ""


class TypingNoticed(Model):
    """Somebody was typing a prompt while the sandbox had nothing to do: its idle time begins anew."""

    type: Literal["typing_noticed"] = "typing_noticed"
    by: Person


class SandboxLost(Model):
    """The sandbox went away by itself. Its files are kept where its provider still has them."""

    type: Literal["sandbox_lost"] = "sandbox_lost"
    sandbox: SandboxId
    reason: Sentence


class SandboxStopped(Model):
    """The idle sandbox was stopped; its files are kept."""

    type: Literal["sandbox_stopped"] = "sandbox_stopped"
    sandbox: SandboxId


class StopFailed(Model):
    """A turn that is being stopped could not be ended in its sandbox, so the sandbox is stopped. The turn ends then."""

    type: Literal["stop_failed"] = "stop_failed"
    turn: TurnId
    reason: Sentence
