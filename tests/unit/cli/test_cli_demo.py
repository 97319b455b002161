"""The demo takes a repository whose bug is still there, and succeeds with nothing less than the promised proof."""

from typing import Any

import pytest

from outrider.cli.commands.demo import fresh_name, unproved


def test_a_repository_whose_pull_request_was_merged_is_passed_over() -> None:
    assert fresh_name(set()) == "bakery"
    assert fresh_name({"shop"}) == "bakery"
    assert fresh_name({"bakery", "bakery-2"}) == "bakery-3"


def result(base: str = "passed", before: str = "failed", after: str = "passed", **other: Any) -> dict[str, Any]:
    phases = {"base": base, "before": before, "after": after}
    checks = [{"phase": phase, "verdict": verdict} for phase, verdict in phases.items()]
    return {"pull_request": {"number": 1}, "checks": checks, **other}


def test_the_promised_proof_is_a_success() -> None:
    assert unproved(result(), "fix_proved") == ""


@pytest.mark.parametrize(
    ("told", "verdict", "said"),
    [
        (result(pull_request=None), None, "there is no pull request"),
        (result(checks=[]), "not_run", "not green at the base"),
        (result(base="failed"), "fix_proved", "not green at the base"),
        (result(base="setup_failed", before="setup_failed", after="setup_failed"), "not_run", "not green at the base"),
        (result(before="passed"), "still_green", "no new test is red"),
        (result(before="timed_out"), "not_run", "no new test is red"),
        (result(after="failed"), "red", "not green after"),
        (result(), "fix_proved_weakly", "no test is red before the change and green after it"),
        (result(), None, "no test is red before the change and green after it"),
    ],
)
def test_anything_less_is_none_and_says_what_lacks(told: dict[str, Any], verdict: str | None, said: str) -> None:
    assert said in unproved(told, verdict)
