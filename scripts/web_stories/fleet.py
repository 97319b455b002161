"""Images and a warm pool, as a deployment has them after a week."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from outrider.api.image_views import BranchImages, ImageList
from outrider.app.limits import of_machine
from outrider.model.ids import BuildId, LayerId
from outrider.model.image import Build, BuildState, CheckFinding, Diagnosis, RepositoryImage
from outrider.model.limits import LimitUse
from outrider.model.pool import PoolCounts, PoolReport, WarmPhase, WarmView
from outrider.model.proof import CheckVerdict
from outrider.settings import Settings

NOW = datetime.now(UTC)

LOG = (
    "Cloning ledger at 3f9c2d1a77b0.",
    "Setting up: python3 -m venv .venv",
    "Setting up: .venv/bin/pip install -e .[test]",
    "Collecting pytest>=8",
    "  Downloading pytest-8.4.2-py3-none-any.whl (365 kB)",
    "\x1b[32mSuccessfully installed ledger-0.4.1 pytest-8.4.2\x1b[0m",
    "Running the checks once: tests, types.",
)
PRINTED = "FAILED tests/test_shop.py::test_checkout - ConnectionRefusedError\n1 failed, 211 passed in 9.31s"


def _check(name: str, command: str, exit_code: int = 0, tail: str = "", missing: tuple[str, ...] = ()) -> CheckFinding:
    verdict = CheckVerdict.PASSED if exit_code == 0 else CheckVerdict.FAILED
    return CheckFinding(
        name=name, command=command, verdict=verdict, exit_code=exit_code, seconds=9.4, missing_tools=missing, tail=tail
    )


def _build(name: str, repository: str, state: BuildState, **fields: object) -> Build:
    began = NOW - timedelta(seconds=48)
    values = {"id": f"build-{name}", "repository": repository, "branch": "main", "state": state, **fields}
    return Build.model_validate({"why": "the branch moved", "queued_at": began, "started_at": began, **values})


def _image(repository: str, age: timedelta, diagnosis: Diagnosis) -> RepositoryImage:
    return RepositoryImage(
        build=BuildId("build-aaaa"),
        repository=repository,
        branch="main",
        commit="3f9c2d1a77b0" + "0" * 28,
        layers=(LayerId("base-aaaa"),),
        toolbox=LayerId("toolbox-aaaa"),
        recipe="0" * 32,
        built_at=NOW - age,
        bytes=212 << 20,
        diagnosis=diagnosis,
    )


_GREEN = Diagnosis(
    checks=(_check("tests", ".venv/bin/pytest -q --junitxml=$OUTRIDER_JUNIT"), _check("types", ".venv/bin/mypy src")),
    at=NOW,
    seconds=21.0,
)
_RED = Diagnosis(
    checks=(
        _check("tests", "make test", 1, PRINTED),
        _check("lint", "golangci-lint run ./...", 127, "sh: 1: golangci-lint: not found", ("golangci-lint",)),
    ),
    skipped_services=("redis",),
    at=NOW,
    seconds=64.0,
)

IMAGES = ImageList(
    builds_here=True,
    images=(
        BranchImages(
            repository="ledger",
            branch="main",
            image=_image("ledger", timedelta(minutes=12), _GREEN),
            build=_build("bbbb", "ledger", BuildState.RUNNING),
        ),
        BranchImages(
            repository="shop",
            branch="main",
            image=_image("shop", timedelta(hours=5), _RED),
            build=_build(
                "cccc", "shop", BuildState.FAILED, detail="Setting up: `npm ci` ended with exit code 1.", seconds=31
            ),
        ),
        BranchImages(
            repository="website", branch="next", image=None, build=_build("dddd", "website", BuildState.QUEUED)
        ),
    ),
)


def _warm(name: str, phase: WarmPhase, seconds: float, **fields: object) -> WarmView:
    values = {"id": f"warm-{name}", "repository": "ledger", "branch": "main", "phase": phase, "age_seconds": seconds}
    usual = {"model": "anthropic/claude-sonnet-4-5", "stale": False, "commit": "3f9c2d1a77b0" + "0" * 28}
    return WarmView.model_validate({**values, **usual, **fields})


POOL = PoolReport(
    at=NOW,
    most=4,
    memory_left_bytes=9 << 30,
    pressed=False,
    sandboxes=(
        _warm("aaaa", WarmPhase.HELD, 312, held_for="ada@example.org"),
        _warm("bbbb", WarmPhase.READY, 1840, stale=True),
        _warm("cccc", WarmPhase.STARTING, 2),
    ),
    targets={"ledger main": 2},
    counts=PoolCounts(hits=57, misses={"none was ready": 2, "the pool is full": 1}, refill_seconds_median=3.9),
    hit_rate=0.95,
)

LIMITS = (
    LimitUse(
        setting="OUTRIDER_LIMIT_SESSIONS_AT_WORK",
        what="sessions at work at once",
        per="deployment",
        value=20,
        used=3,
    ),
    LimitUse(
        setting="OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR",
        what="sessions started within an hour",
        per="person",
        value=12,
        used=12,
        until=NOW + timedelta(minutes=23),
    ),
    LimitUse(
        setting="OUTRIDER_LIMIT_PERSON_UPLOADS_PER_HOUR",
        what="files uploaded within an hour",
        per="person",
        value=200,
        used=7,
    ),
    LimitUse(setting="OUTRIDER_LIMIT_PROMPT_BYTES", what="text", per="prompt", value=256 << 10, unit="bytes"),
    *of_machine(Settings(home=Path("outrider"))),
)
