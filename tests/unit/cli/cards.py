"""Proofs of every kind, drawn as cards."""

import io

from rich.console import Console

from outrider.cli.evidence import card
from outrider.cli.scene import Scene
from outrider.model.ids import CommitId, ProofId
from outrider.model.proof import CaseOutcome, CaseProof, CheckResult, CheckVerdict, Phase, Proof, ProofVerdict

BASE, HEAD = CommitId("a" * 40), CommitId("b" * 40)
TESTS = "python3 -m pytest -q --junitxml=report.xml"


def ran(
    phase: Phase, exit_code: int, counts: tuple[int, int] | None, verdict: CheckVerdict, name: str = "tests"
) -> CheckResult:
    return CheckResult(
        name=name,
        phase=phase,
        commit=HEAD if phase is Phase.AFTER else BASE,
        tests_from=HEAD if phase is Phase.BEFORE else None,
        command=TESTS if name == "tests" else "make lint",
        exit_code=exit_code,
        seconds=2.25,
        passed=counts[0] if counts else None,
        failed=counts[1] if counts else None,
        verdict=verdict,
    )


def proof(verdict: ProofVerdict, summary: str, *results: CheckResult, **more: object) -> Proof:
    whole = {"id": ProofId("f-aaaa"), "base": BASE, "head": HEAD, "verdict": verdict, "summary": summary}
    return Proof.model_validate({**whole, "results": results, "recipe_source": "outrider.toml", **more})


GREEN, RED = CheckVerdict.PASSED, CheckVerdict.FAILED

CARDS = {
    "fix-proved": proof(
        ProofVerdict.FIX_PROVED,
        "1 test failed before the change and passes after it.",
        ran(Phase.BASE, 0, (12, 0), GREEN),
        ran(Phase.BEFORE, 1, (12, 1), RED),
        ran(Phase.AFTER, 0, (13, 0), GREEN),
        ran(Phase.AFTER, 0, None, GREEN, "lint"),
        ran(Phase.BASE, 0, None, GREEN, "lint"),
        red_to_green=tuple(
            CaseProof(check="tests", case=f"tests/test_basket.py::test_{n}", before="failed", after=CaseOutcome.PASSED)
            for n in range(10)
        ),
    ),
    "red": proof(
        ProofVerdict.RED,
        "`tests` fails at the head.",
        ran(Phase.AFTER, 124, None, CheckVerdict.TIMED_OUT),
        ran(Phase.BASE, 0, (12, 0), GREEN),
        vanished=("tests/test_basket.py::test_total",),
        newly_skipped=("tests/test_basket.py::test_empty", "tests/test_basket.py::test_one"),
        marked_files=("outrider.toml", ".github/workflows/ci.yml"),
    ),
    "not-run": proof(ProofVerdict.NOT_RUN, "No checks are known for this repository.", recipe_source=""),
    "weak": proof(
        ProofVerdict.FIX_PROVED_WEAKLY,
        "The check was red before and is green after; which tests is not known.",
        ran(Phase.BEFORE, 2, None, CheckVerdict.SETUP_FAILED),
        ran(Phase.AFTER, 0, None, GREEN),
    ),
}


def draw(name: str, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(card(CARDS[name], Scene(width=width)))
    return out.getvalue()
