"""Checks and what they prove.

A proof is three clean runs of the repository's checks: `base` (the base commit as it is), `before` (the base commit
with the test files of the head laid over it) and `after` (the head commit). A fix is proved by the *same test ids* red
in `before` and green in `after`.
"""

from enum import StrEnum

from pydantic import Field

from outrider.model.base import Model
from outrider.model.ids import ArtifactId, ProofId
from outrider.model.repository import CommitHash

CheckName = str


class Phase(StrEnum):
    """Which of the three runs."""

    BASE = "base"
    BEFORE = "before"
    AFTER = "after"


class CaseOutcome(StrEnum):
    """What became of one test. `error` means that it did not import or collect: weaker than `failed`."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class CheckVerdict(StrEnum):
    """The outcome of one check in one phase."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SETUP_FAILED = "setup_failed"
    STOPPED = "stopped"


class CheckResult(Model):
    """One command, run by us in a clean sandbox."""

    name: CheckName = Field(max_length=80)
    phase: Phase
    commit: CommitHash
    tests_from: CommitHash | None = Field(default=None, description="The commit whose test files were laid over")
    command: str = Field(max_length=4096)
    exit_code: int
    seconds: float = Field(ge=0)
    passed: int | None = Field(default=None, description="Counts come from JUnit XML; None means exit code only")
    failed: int | None = None
    errors: int | None = None
    skipped: int | None = None
    verdict: CheckVerdict
    log: ArtifactId | None = None
    log_bytes: int = Field(default=0, description="How much the command printed in all")
    log_truncated: bool = False
    tail: str = Field(default="", max_length=4096, description="The last lines, for a glance")


class CaseProof(Model):
    """One test id across `before` and `after`."""

    check: CheckName
    case: str = Field(max_length=500)
    before: CaseOutcome
    after: CaseOutcome


class ProofVerdict(StrEnum):
    """What the three runs together show, strongest first."""

    FIX_PROVED = "fix_proved"
    """The same test ids failed before and pass after."""
    FIX_PROVED_WEAKLY = "fix_proved_weakly"
    """Red to green, but the red was an import or collection error, or only exit codes are known."""
    STILL_GREEN = "still_green"
    """All checks pass after; no test was red before."""
    RED = "red"
    """A check fails after."""
    NOT_RUN = "not_run"
    """No checks are known, or they could not be run."""


class Proof(Model):
    """The evidence about one head commit."""

    id: ProofId
    base: CommitHash
    head: CommitHash
    verdict: ProofVerdict
    summary: str = Field(max_length=1000, description="One or two plain sentences")
    results: tuple[CheckResult, ...] = ()
    red_to_green: tuple[CaseProof, ...] = Field(default=(), max_length=200)
    vanished: tuple[str, ...] = Field(default=(), max_length=200, description="Test ids in base that head lost")
    newly_skipped: tuple[str, ...] = Field(default=(), max_length=200)
    marked_files: tuple[str, ...] = Field(
        default=(), max_length=200, description="Changed files that say how checks or CI run; the base's were used"
    )
    recipe_source: str = Field(default="", description="outrider.toml, or what the checks were detected from")
    could_not_run: bool = Field(
        default=False, description="Nothing was proved though something was to be; false where no checks are known"
    )
    setup_failed: bool = Field(
        default=False, description="There are no checks, and the setup, run on head in a clean sandbox, failed"
    )
