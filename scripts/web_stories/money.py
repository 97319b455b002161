"""A cent that is lost: the repository, the change, and what its checks showed."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outrider.model.engine import (
    ModelRef,
)
from outrider.model.ids import (
    ArtifactId,
    CommitId,
    ProofId,
)
from outrider.model.person import Person
from outrider.model.proof import CaseOutcome, CaseProof, CheckResult, CheckVerdict, Phase, Proof, ProofVerdict
from outrider.model.repository import Commit, FileChange, PullRequest, PullRequestState, Repository

START = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
ADA = Person(name="Ada Mensah", email="ada@example.org")
JONAS = Person(name="Jonas Weber", email="jonas@example.org")
LEDGER = Repository(forge="builtin", name="ledger", source="~/code/ledger", default_branch="main")
CLAUDE = ModelRef(provider="anthropic", name="claude-sonnet-4-5")
REHEARSAL = ModelRef(provider="rehearsal", name="demo")
TEST = "tests/test_money.py"


def sha(seed: str) -> CommitId:
    """A commit hash that is the same every time."""
    return CommitId(hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest())


def _text(name: str) -> str:
    return (Path(__file__).parent / "texts" / name).read_text("utf-8")


MONEY_DIFF = _text("money.diff")
TEST_DIFF = _text("test_money.diff")
BODY = _text("body.md")
REPRODUCED = _text("reproduced.md")
SUMMARY = _text("summary.md")

PYTEST_RED = (
    "$ uv run pytest -q tests/test_money.py\n\x1b[31mF\x1b[0m\x1b[31mF\x1b[0m\x1b[31mF\x1b[0m\x1b[31mF\x1b[0m\x1b[32m.."
    "\x1b[0m                                                                   [100%]\n"
    "=================================== FAILURES ===================================\n"
    "\x1b[31m\x1b[1m________________________ test_split_keeps_every_cent[3] _________________________\x1b[0m\n"
    "\x1b[1m\x1b[31mE       AssertionError: assert Decimal('99.99') == Decimal('100.00')\x1b[0m\n\n"
    "\x1b[31mtests/test_money.py\x1b[0m:22: AssertionError\n"
    "\x1b[31m========================= \x1b[1m4 failed\x1b[0m, \x1b[32m2 passed\x1b[0m\x1b[31m in 0.11s"
    " =========================\x1b[0m\n"
)

PYTEST_GREEN = (
    "\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m"
    "                                                                   [100%]\n\x1b[32m\x1b[1m6 passed\x1b[0m"
    "\x1b[32m in 0.06s\x1b[0m\n"
)

CASES = (
    *(f"{TEST}::test_split_keeps_every_cent[{parts}]" for parts in (3, 7, 11)),
    f"{TEST}::test_split_gives_odd_cents_to_the_first",
)


def result(  # noqa: PLR0913  the parts of a check's result
    name: str,
    command: str,
    phase: Phase,
    code: int,
    seconds: float,
    counts: tuple[int, int, int, int] | None = None,
    tail: str = "",
) -> CheckResult:
    """One check in one phase."""
    passed, failed, errors, skipped = counts or (None, None, None, None)
    return CheckResult(
        name=name,
        phase=phase,
        commit=sha("head") if phase is Phase.AFTER else sha("base"),
        tests_from=sha("head") if phase is Phase.BEFORE else None,
        command=command,
        exit_code=code,
        seconds=seconds,
        passed=passed,
        failed=failed,
        errors=errors,
        skipped=skipped,
        verdict=CheckVerdict.FAILED if code else CheckVerdict.PASSED,
        log=ArtifactId(f"a-{name}{phase.value}log"),
        log_bytes=18_400 if code else 4_210,
        tail=tail,
    )


PYTEST = "uv run pytest -q --junitxml=report.xml"
RESULTS = (
    result("tests", PYTEST, Phase.BASE, 0, 2.31, (214, 0, 0, 2)),
    result("tests", PYTEST, Phase.BEFORE, 1, 2.44, (214, 4, 0, 2), PYTEST_RED[-480:]),
    result("tests", PYTEST, Phase.AFTER, 0, 2.36, (218, 0, 0, 2), PYTEST_GREEN),
    result("types", "uv run mypy src", Phase.BASE, 0, 6.02),
    result("types", "uv run mypy src", Phase.AFTER, 0, 5.87, tail="Success: no issues found in 31 source files\n"),
    result("lint", "uv run ruff check .", Phase.BASE, 0, 0.09),
    result("lint", "uv run ruff check .", Phase.AFTER, 0, 0.08, tail="All checks passed!\n"),
)
FIX_PROVED = Proof(
    id=ProofId("p-aaaa2222bb"),
    base=sha("base"),
    head=sha("head"),
    verdict=ProofVerdict.FIX_PROVED,
    summary="4 tests failed before the change and pass after it; all 3 checks pass at the head.",
    results=RESULTS,
    red_to_green=tuple(
        CaseProof(check="tests", case=case, before=CaseOutcome.FAILED, after=CaseOutcome.PASSED) for case in CASES
    ),
    recipe_source="outrider.toml",
)
COMMITS = (
    Commit(sha=sha("test"), author=ADA, subject="Show that split loses a cent"),
    Commit(sha=sha("head"), author=ADA, subject="Split money in whole cents, so that no cent is lost"),
)
FILES = (
    FileChange(path="src/ledger/money.py", added=11, deleted=5),
    FileChange(path="tests/test_money.py", added=13, deleted=0),
)
PULL = PullRequest(
    repository="ledger",
    number=12,
    url="/pulls/ledger/12",
    title="Split money in whole cents, so that no cent is lost",
    body=BODY,
    author=ADA,
    base_branch="main",
    head_branch="outrider/s-k4q7ab2xyz/split-cents",
    base_commit=sha("base"),
    head_commit=sha("head"),
    state=PullRequestState.OPEN,
    session="s-k4q7ab2xyz",
    opened_at=START + timedelta(minutes=2),
)
PLAN = (
    "Reproduce the lost cent in a test",
    "Split in whole cents",
    "Say the rounding mode",
    "Run the suite",
)
