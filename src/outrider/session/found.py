"""A session's sandbox, found or made: what the steps of a start hand to one another."""

from dataclasses import dataclass

from outrider.fleet.pool.warm import Warm
from outrider.model.events import StartPath
from outrider.model.ids import CommitId, LayerId
from outrider.model.sandbox import SandboxHandle, SandboxSpec

SESSION_LABEL = "session"
"""The label by which a session's sandbox is found again."""

IMAGE_COMMIT_LABEL = "image-commit"
"""The commit on which the sandbox's image left the workspace, set up. Missing where the workspace is cloned."""


@dataclass(frozen=True, slots=True)
class Found:
    """A running sandbox that carries the session's label."""

    handle: SandboxHandle
    how: StartPath
    image_commit: CommitId | None = None
    """What `IMAGE_COMMIT_LABEL` says."""
    layers: tuple[LayerId, ...] = ()
    """What it was made from, bottom first."""
    toolbox: LayerId | None = None
    taken: Warm | None = None
    """What came with it from the pool: its connection, its door, its engine."""
    stood: CommitId | None = None
    """Where the workspace stood that was restored, when it was kept."""

    @property
    def fresh(self) -> bool:
        """Whether nothing of the session was ever in it."""
        return self.how in ("warm", "image", "cold")

    @property
    def standing(self) -> CommitId | None:
        """The commit that its checkout is known to stand on without looking."""
        return self.image_commit if self.how in ("warm", "image") else None

    @classmethod
    def made(cls, handle: SandboxHandle, how: StartPath, spec: SandboxSpec) -> "Found":
        """A sandbox that was just created."""
        commit = spec.labels.get(IMAGE_COMMIT_LABEL)
        return cls(handle, how, CommitId(commit) if commit else None, spec.layers, spec.toolbox)
