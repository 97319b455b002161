"""What three runs show together."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from outrider.model.ids import CommitId
from outrider.model.proof import CaseOutcome, CheckResult, CheckVerdict, Phase, ProofVerdict
from outrider.proof.compare import CheckRun, Runs, compare

PASSED, FAILED, ERROR, SKIPPED = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.ERROR, CaseOutcome.SKIPPED


def run(cases: Mapping[str, CaseOutcome] | None, verdict: CheckVerdict | None = None, name: str = "tests") -> Runs:
    """One check; its verdict follows from the cases unless it is given."""
    red = any(outcome in (FAILED, ERROR) for outcome in (cases or {}).values())
    verdict = verdict or (CheckVerdict.FAILED if red else CheckVerdict.PASSED)
    result = CheckResult(
        name=name, phase=Phase.AFTER, commit=CommitId("a" * 40), command="x", exit_code=0, seconds=1, verdict=verdict,
        failed=sum(outcome is FAILED for outcome in (cases or {}).values()),
    )  # fmt: skip
    return {name: CheckRun(result, cases)}


def test_the_same_test_red_then_green_proves_a_fix() -> None:
    found = compare(run({"a": PASSED}), run({"a": PASSED, "b": FAILED}), run({"a": PASSED, "b": PASSED}))
    assert found.verdict is ProofVerdict.FIX_PROVED
    assert [(case.case, case.before, case.after) for case in found.red_to_green] == [("b", FAILED, PASSED)]
    assert found.summary == "1 test fails without the change and passes with it."


def test_a_module_that_did_not_load_is_weaker_even_though_its_tests_have_other_ids() -> None:
    base, before = run({"m::old": PASSED}), run({"m": ERROR})
    found = compare(base, before, run({"m::old": PASSED, "m::new": PASSED, "mm::x": PASSED}))
    assert found.verdict is ProofVerdict.FIX_PROVED_WEAKLY
    assert [(case.case, case.before) for case in found.red_to_green] == [("m::new", ERROR)]
    assert "could not even be loaded" in found.summary


def test_one_real_failure_among_errors_proves_it() -> None:
    found = compare(run({}), run({"a": ERROR, "b": FAILED}), run({"a": PASSED, "b": PASSED}))
    assert found.verdict is ProofVerdict.FIX_PROVED


def test_exit_codes_alone_are_weaker() -> None:
    found = compare(run(None), run(None, CheckVerdict.FAILED), run(None))
    assert found.verdict is ProofVerdict.FIX_PROVED_WEAKLY
    assert "exit code only" in found.summary
    assert found.red_to_green == ()


def test_a_report_missing_before_is_judged_by_exit_code() -> None:
    found = compare(run({}), run(None, CheckVerdict.TIMED_OUT), run({"a": PASSED}))
    assert found.verdict is ProofVerdict.FIX_PROVED_WEAKLY


def test_nothing_red_before_is_still_green() -> None:
    found = compare(run({"a": PASSED}), run({"a": PASSED}), run({"a": PASSED}))
    assert (found.verdict, found.red_to_green) == (ProofVerdict.STILL_GREEN, ())


def test_red_after_is_red_whatever_was_fixed() -> None:
    found = compare(run({"a": PASSED}), run({"b": FAILED}), run({"a": FAILED, "b": PASSED}))
    assert found.verdict is ProofVerdict.RED
    assert [case.case for case in found.red_to_green] == ["b"]
    assert found.summary == "With the change, “tests” failed (1 test)."


def test_a_deleted_red_test_proves_nothing_and_is_shown() -> None:
    found = compare(run({"a": FAILED, "b": PASSED}), run({"b": PASSED}), run({"b": PASSED}))
    assert found.verdict is ProofVerdict.STILL_GREEN
    assert found.vanished == ("a",)
    assert found.summary.endswith("1 test of the base is gone.")


def test_a_newly_skipped_test_is_shown() -> None:
    base = run({"a": PASSED, "s": SKIPPED})
    found = compare(base, base, run({"a": SKIPPED, "s": SKIPPED, "new": SKIPPED}))
    assert found.newly_skipped == ("a",)
    assert "skipped that ran before" in found.summary


def test_all_tests_vanish_where_the_report_does() -> None:
    base = run({"a": PASSED, "b": PASSED})
    assert compare(base, base, run(None)).vanished == ("a", "b")
    assert compare(base, base, run(None, CheckVerdict.TIMED_OUT)).vanished == ()


def test_a_module_of_the_base_that_loads_now_has_not_vanished() -> None:
    assert compare(run({"m": ERROR}), run({"m": ERROR}), run({"m::a": PASSED})).vanished == ()


def test_a_setup_that_only_the_change_breaks_is_red() -> None:
    broken = run(None, CheckVerdict.SETUP_FAILED)
    assert compare(run({}), run({}), broken).verdict is ProofVerdict.RED
    assert compare(broken, broken, broken).verdict is ProofVerdict.NOT_RUN


def test_a_check_that_could_not_run_proves_nothing() -> None:
    found = compare(run({}), run({}), run(None, CheckVerdict.STOPPED))
    assert found.verdict is ProofVerdict.NOT_RUN
    assert found.summary == "Nothing is proved: “tests” could not run to the end."


def test_every_check_counts() -> None:
    after = {**run({"a": PASSED}), **run(None, CheckVerdict.TIMED_OUT, name="lint")}
    found = compare({}, run({"a": FAILED}), after)
    assert found.verdict is ProofVerdict.RED
    assert "“lint” ran out of time" in found.summary


CASES = st.dictionaries(st.sampled_from(["m", "m::a", "m::b", "n > c", "n", "o"]), st.sampled_from(CaseOutcome))
RUNS = CASES.map(run) | st.sampled_from(CheckVerdict).map(lambda verdict: run(None, verdict))


@given(RUNS, RUNS, RUNS)
def test_the_verdict_never_says_more_than_the_runs(base: Runs, before: Runs, after: Runs) -> None:
    found = compare(base, before, after)
    green_after = after["tests"].result.verdict is CheckVerdict.PASSED
    was = before["tests"].cases or {}
    now = after["tests"].cases or {}
    if found.verdict in (ProofVerdict.FIX_PROVED, ProofVerdict.FIX_PROVED_WEAKLY, ProofVerdict.STILL_GREEN):
        assert green_after
    if found.verdict is ProofVerdict.FIX_PROVED:
        assert any(was.get(case) is FAILED and now[case] is PASSED for case in now)
    assert all(now[case.case] is PASSED and case.before in (FAILED, ERROR) for case in found.red_to_green)
    assert not set(found.vanished) & set(now)
    assert found.summary.endswith(".")


@given(RUNS)
def test_a_change_of_nothing_proves_nothing(same: Runs) -> None:
    found = compare(same, same, same)
    assert found.verdict not in (ProofVerdict.FIX_PROVED, ProofVerdict.FIX_PROVED_WEAKLY)
    assert (found.red_to_green, found.newly_skipped) == ((), ())
