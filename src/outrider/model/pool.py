"""The warm pool: sandboxes that are ready before anybody has asked, and what is known of how well they serve."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from outrider.model.base import Model
from outrider.model.repository import BranchName, CommitHash, RepositoryName


class PoolKey(Model):
    """What a warm sandbox is for: a repository at a branch."""

    repository: RepositoryName
    branch: BranchName

    def __str__(self) -> str:
        return f"{self.repository} {self.branch}"


class Miss(StrEnum):
    """Why a session did not get a warm sandbox, in the words shown to people."""

    OFF = "the pool is switched off"
    NO_IMAGE = "the branch has no image yet"
    NONE_READY = "none was ready"
    HELD = "all were held for others"
    LOST = "it was lost while it was handed over"


class WarmPhase(StrEnum):
    """Where a warm sandbox is."""

    STARTING = "starting"
    READY = "ready"
    HELD = "held"


class WarmView(Model):
    """One sandbox of the pool, as people see it."""

    id: str
    repository: str
    branch: str
    model: str
    phase: WarmPhase
    held_for: str | None = Field(default=None, description="The person whose typing holds it")
    stale: bool = Field(description="Whether an image is newer; it is replaced")
    commit: CommitHash
    age_seconds: float = Field(ge=0)


class PoolCounts(Model):
    """What the pool has done since the server started."""

    hits: int = Field(default=0, ge=0, description="Sessions that got a warm sandbox")
    misses: dict[str, int] = Field(default={}, description="Sessions that got none, by the reason")
    started: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0, description="Starts that came to nothing")
    dropped: dict[str, int] = Field(default={}, description="Warm sandboxes that no session got, by the reason")
    refill_seconds_median: float | None = Field(default=None, ge=0, description="Of the last hundred starts")
    refill_seconds_last: float | None = Field(default=None, ge=0)

    @property
    def missed(self) -> int:
        """Sessions that got none."""
        return sum(self.misses.values())


class PoolReport(Model):
    """The pool as it is now."""

    at: AwareDatetime
    most: int = Field(ge=0, description="Warm sandboxes at once; 0: the pool is off")
    memory_left_bytes: int = Field(ge=0, description="What the machine, or its control group, has left")
    pressed: bool = Field(description="Whether memory is so short that the pool shrinks")
    sandboxes: tuple[WarmView, ...] = ()
    targets: dict[str, int] = Field(default={}, description="How many there should be, by repository and branch")
    counts: PoolCounts = PoolCounts()
    hit_rate: float | None = Field(default=None, ge=0, le=1)
    last_failure: str = Field(default="", max_length=1000)
    short: str = Field(default="", max_length=1000, description="Why none may be started now: disk or memory is short")
