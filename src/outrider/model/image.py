"""Images of repositories: what they are made of, the builds that make them, and what their checks say at once."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime, Field

from outrider.model.base import Model
from outrider.model.egress import EgressPolicy
from outrider.model.ids import BuildId, LayerId
from outrider.model.proof import CheckVerdict
from outrider.model.repository import BranchName, CommitHash, RepositoryName
from outrider.model.sandbox import LimitCaps
from outrider.model.services import Beside


class BuildStep(Model):
    """One command that is run as guest root while an image is built. `origin` says where it was read."""

    command: str = Field(max_length=65_536)
    environment: Mapping[str, str] = {}
    cwd: str = "/"
    origin: str = Field(max_length=300)


class MachineWants(Model):
    """What a recipe wants below its checkout: a foreign base (an OCI reference; None for ours), stacks by name,
    commands to run as root, and Debian packages; built in this order. Checked by whoever read the recipe."""

    base: str | None = None
    packages: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    steps: tuple[BuildStep, ...] = ()
    or_ours: bool = Field(
        default=False, description="Whether our own base will do where the foreign one cannot be made"
    )


class BaseState(Model):
    """A base of sandboxes as it is now. `made_at` is None where the provider does not know."""

    name: str = Field(description="“Debian bookworm”, or the OCI reference of a recipe")
    layer: LayerId
    made_at: AwareDatetime | None = None


class Renewed(Model):
    """What came of renewing a base."""

    name: str
    changed: bool = Field(description="Whether it is another than before; images above it are rebuilt then")
    problem: str = Field(default="", max_length=2000, description="Why it stays as it was, where it could not be made")


class Collected(Model):
    """Layers that were deleted because nothing needed them any more."""

    at: AwareDatetime
    layers: int = Field(ge=0)
    bytes: int = Field(ge=0, description="What they took on the disk; files that layers shared count in each")


class BuildPlan(Model):
    """What a recipe says about a repository's image. The same plan is the same image of the same commit."""

    wants: MachineWants = MachineWants()
    setup: tuple[str, ...] = ()
    setup_timeout_seconds: float = Field(default=1800, gt=0)
    beside: Beside = Beside()
    egress: EgressPolicy = EgressPolicy()
    """What the build may reach; no part of the digest, and neither are the limits."""
    caps: LimitCaps = LimitCaps()

    @property
    def digest(self) -> str:
        """Of all of it, 32 hex digits."""
        return hashlib.sha256(self.model_dump_json(exclude={"egress", "caps"}).encode()).hexdigest()[:32]


class BuildState(StrEnum):
    """Where a build is, in the words shown to people."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self not in (BuildState.QUEUED, BuildState.RUNNING)


class Build(Model):
    """The making of a repository's image."""

    id: BuildId
    repository: RepositoryName
    branch: BranchName
    why: str = Field(max_length=200, description="What asked for it, such as “the branch moved”")
    full: bool = Field(default=False, description="From the machine image, not on the last image of the branch")
    state: BuildState = BuildState.QUEUED
    commit: CommitHash | None = Field(default=None, description="Once it is known what is built")
    detail: str = Field(default="", max_length=2000, description="What came of it, or why it failed, in a sentence")
    log_tail: str = Field(default="", max_length=4096, description="The last lines of its log")
    queued_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    seconds: float | None = Field(default=None, ge=0, description="How long it ran")

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.state is BuildState.FAILED


class CheckFinding(Model):
    """One check of the recipe, run once in a fresh image."""

    name: str = Field(max_length=80)
    command: str = Field(max_length=4096)
    verdict: CheckVerdict
    exit_code: int
    seconds: float = Field(ge=0)
    passed: int | None = Field(default=None, description="Counts come from JUnit XML; None means exit code only")
    failed: int | None = None
    errors: int | None = None
    skipped: int | None = None
    missing_tools: tuple[str, ...] = Field(default=(), max_length=20, description="Programs that were not found")
    tail: str = Field(default="", max_length=4096, description="The last lines, for a glance")

    @property
    def green(self) -> bool:
        """Whether it passed."""
        return self.verdict is CheckVerdict.PASSED


class Diagnosis(Model):
    """What the checks of a repository say in its image, before anybody has touched anything."""

    checks: tuple[CheckFinding, ...] = ()
    skipped_services: tuple[str, ...] = Field(default=(), max_length=50, description="Services that did not get ready")
    notice: str = Field(default="", max_length=1000, description="Why nothing was run, where nothing was")
    at: AwareDatetime
    seconds: float = Field(ge=0)

    @property
    def red(self) -> tuple[str, ...]:
        """The checks that were red before anybody touched anything."""
        return tuple(check.name for check in self.checks if not check.green)

    @property
    def ails(self) -> bool:
        """Whether an agent will meet something that does not work."""
        return bool(self.red or self.missing_tools or self.skipped_services)

    @property
    def summary(self) -> str:
        """In a sentence or two, for people."""
        if not self.checks:
            return self.notice or "No checks are known."
        said = f"{len(self.checks) - len(self.red)} of {len(self.checks)} checks are green."
        if self.red:
            said += f" Red before anybody touched it: {', '.join(self.red)}."
        if self.missing_tools:
            said += f" Not found: {', '.join(self.missing_tools)}."
        if self.skipped_services:
            said += f" Not ready: {', '.join(self.skipped_services)}."
        return said

    @property
    def missing_tools(self) -> tuple[str, ...]:
        """Programs that some check did not find."""
        return tuple(dict.fromkeys(tool for check in self.checks for tool in check.missing_tools))


class RepositoryImage(Model):
    """A machine image with the checkout of a branch at a commit, set up. `build` is the build that made it."""

    build: BuildId
    repository: RepositoryName
    branch: BranchName
    commit: CommitHash
    layers: tuple[LayerId, ...] = Field(min_length=1, max_length=64, description="All, bottom first")
    machine: tuple[LayerId, ...] = Field(default=(), description="Those of the machine image, bottom first")
    toolbox: LayerId
    recipe: str = Field(max_length=64, description="Digest of all that the recipe says about the image")
    built_at: AwareDatetime
    seconds: float = Field(default=0, ge=0, description="How long the build took")
    bytes: int = Field(default=0, ge=0, description="On disk, above the machine image")
    diagnosis: Diagnosis | None = None


class ImageNews(Model):
    """Something has changed: a build, and with its end the image that it made, with what its checks say."""

    build: Build
    image: RepositoryImage | None = None
