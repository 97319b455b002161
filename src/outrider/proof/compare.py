"""What the runs of the checks show together. Pure: results in, verdict and a plain sentence out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from outrider.model.proof import CaseOutcome, CaseProof, CheckName, CheckResult, CheckVerdict, ProofVerdict
from outrider.proof.junit import Cases

LISTED_LIMIT = 200
"""How many tests of a kind are named in a proof; the sentence counts them all."""

_RED = (CaseOutcome.FAILED, CaseOutcome.ERROR)


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A result, with its tests where a report told of them."""

    result: CheckResult
    cases: Cases | None = None


Runs = Mapping[CheckName, CheckRun]
"""The runs of one phase."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is said of a proof beyond the results themselves."""

    verdict: ProofVerdict
    summary: str
    red_to_green: tuple[CaseProof, ...] = ()
    vanished: tuple[str, ...] = ()
    newly_skipped: tuple[str, ...] = ()


def compare(base: Runs, before: Runs, after: Runs) -> Comparison:
    """Compare the three phases. `before` may be `base` itself where the change touches no test file."""
    fixed = [case for name in after for case in _red_to_green(base.get(name), before.get(name), after[name])]
    vanished = [case for name in after for case in _vanished(base.get(name), after[name])]
    skipped = [case for name in after for case in _newly_skipped(base.get(name), after[name])]
    verdict = _verdict(base, before, after, fixed)
    return Comparison(
        verdict=verdict,
        summary=_summary(verdict, after, fixed, len(vanished), len(skipped)),
        red_to_green=tuple(fixed[:LISTED_LIMIT]) if verdict is not ProofVerdict.NOT_RUN else (),
        vanished=tuple(vanished[:LISTED_LIMIT]),
        newly_skipped=tuple(skipped[:LISTED_LIMIT]),
    )


def stands_for(module: str, case: str) -> bool:
    """Whether an id is that of a file or module which holds this test."""
    return case.startswith((f"{module}::", f"{module}.", f"{module} > "))


def _red_to_green(base: CheckRun | None, before: CheckRun | None, after: CheckRun) -> Iterator[CaseProof]:
    """The same test, red before and green after. A module that did not load stands for the tests that it holds, but
    for those that passed in the base: they were not mended."""
    if before is None or before.cases is None or after.cases is None:
        return
    was_green = {case for case, outcome in (base.cases or {}).items() if outcome is CaseOutcome.PASSED} if base else ()
    unloaded = [
        module for module, was in before.cases.items() if was is CaseOutcome.ERROR and module not in after.cases
    ]
    for case, outcome in sorted(after.cases.items()):
        was = before.cases.get(case)
        if was is None and case not in was_green and any(stands_for(module, case) for module in unloaded):
            was = CaseOutcome.ERROR
        if was in _RED and outcome is CaseOutcome.PASSED:
            yield CaseProof(check=after.result.name, case=case, before=was, after=outcome)


def _vanished(base: CheckRun | None, after: CheckRun) -> Iterator[str]:
    """Tests of the base that are no more. A run that did not come to its end says nothing about what is gone."""
    if base is None or base.cases is None or after.result.verdict not in (CheckVerdict.PASSED, CheckVerdict.FAILED):
        return
    left = after.cases or {}
    for case, outcome in sorted(base.cases.items()):
        loads_now = outcome is CaseOutcome.ERROR and any(stands_for(case, other) for other in left)
        if case not in left and not loads_now:
            yield case


def _newly_skipped(base: CheckRun | None, after: CheckRun) -> Iterator[str]:
    if base is None or base.cases is None or after.cases is None:
        return
    for case, outcome in sorted(after.cases.items()):
        if outcome is CaseOutcome.SKIPPED and base.cases.get(case, outcome) is not CaseOutcome.SKIPPED:
            yield case


def _verdict(base: Runs, before: Runs, after: Runs, fixed: list[CaseProof]) -> ProofVerdict:
    verdicts = {run.result.verdict for run in after.values()}
    if verdicts & {CheckVerdict.FAILED, CheckVerdict.TIMED_OUT}:
        return ProofVerdict.RED
    if CheckVerdict.SETUP_FAILED in verdicts:
        base_could = any(run.result.verdict is not CheckVerdict.SETUP_FAILED for run in base.values())
        return ProofVerdict.RED if base_could else ProofVerdict.NOT_RUN
    if verdicts != {CheckVerdict.PASSED}:
        return ProofVerdict.NOT_RUN
    if any(case.before is CaseOutcome.FAILED for case in fixed):
        return ProofVerdict.FIX_PROVED
    if fixed or any(_turned_green(before.get(name), run) for name, run in after.items()):
        return ProofVerdict.FIX_PROVED_WEAKLY
    return ProofVerdict.STILL_GREEN


def _turned_green(before: CheckRun | None, after: CheckRun) -> bool:
    """Whether the command as a whole went from red to green, where tests cannot be told apart on one side."""
    if before is None or (before.cases is not None and after.cases is not None):
        return False
    return before.result.verdict in (CheckVerdict.FAILED, CheckVerdict.TIMED_OUT)


def _summary(verdict: ProofVerdict, after: Runs, fixed: list[CaseProof], vanished: int, skipped: int) -> str:
    sentences = [_headline(verdict, after, fixed)]
    if vanished:
        sentences.append(f"{_tests(vanished)} of the base {'is' if vanished == 1 else 'are'} gone.")
    if skipped:
        sentences.append(f"{_tests(skipped)} {'is' if skipped == 1 else 'are'} skipped that ran before.")
    return " ".join(sentences)[:1000]


def _headline(verdict: ProofVerdict, after: Runs, fixed: list[CaseProof]) -> str:
    match verdict:
        case ProofVerdict.FIX_PROVED:
            failed = sum(case.before is CaseOutcome.FAILED for case in fixed)
            verb = "fails" if failed == 1 else "fail"
            return f"{_tests(failed)} {verb} without the change and {'passes' if failed == 1 else 'pass'} with it."
        case ProofVerdict.FIX_PROVED_WEAKLY if fixed:
            verb = "passes" if len(fixed) == 1 else "pass"
            return f"{_tests(len(fixed))} {verb} with the change; without it they could not even be loaded."
        case ProofVerdict.FIX_PROVED_WEAKLY:
            return "The checks fail without the change and pass with it; by exit code only, no single test is known."
        case ProofVerdict.STILL_GREEN:
            return "All checks pass with the change; no test failed without it."
        case ProofVerdict.RED:
            return f"With the change, {_red_names(after.values())}."
        case ProofVerdict.NOT_RUN:
            return f"Nothing is proved: {_red_names(after.values()) or 'no checks ran'}."


_FATE = {
    CheckVerdict.FAILED: "failed",
    CheckVerdict.TIMED_OUT: "ran out of time",
    CheckVerdict.SETUP_FAILED: "could not be set up",
    CheckVerdict.STOPPED: "could not run to the end",
}


def _red_names(runs: Iterable[CheckRun]) -> str:
    """“tests” failed (3 tests) and “lint” ran out of time."""
    said = []
    for run in runs:
        if run.result.verdict is not CheckVerdict.PASSED:
            red = (run.result.failed or 0) + (run.result.errors or 0)
            count = f" ({_tests(red)})" if red else ""
            said.append(f"“{run.result.name}” {_FATE[run.result.verdict]}{count}")
    return " and ".join(said)


def _tests(count: int) -> str:
    return f"{count} test" if count == 1 else f"{count} tests"
