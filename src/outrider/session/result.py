"""The result of a session as `outrider run --json` prints it. Pure."""

from enum import StrEnum

from outrider.model.base import Model
from outrider.model.events import TurnEndReason
from outrider.model.ids import CommitId, SessionId
from outrider.model.proof import CheckVerdict, Phase, ProofVerdict
from outrider.model.repository import Commit, PullRequestState
from outrider.session.state import State


class CommitResult(Model):
    """One commit. `author` is as git writes it: `Name <email>`."""

    sha: CommitId
    author: str
    subject: str

    @classmethod
    def of(cls, commit: Commit) -> "CommitResult":
        """The commit as the result shows it."""
        person = commit.author
        return cls(sha=commit.sha, author=f"{person.name} <{person.email}>", subject=commit.subject)


class PullRequestResult(Model):
    """The session's pull request."""

    number: int
    url: str
    state: PullRequestState


class CheckOutcome(Model):
    """One command, run by us in a clean sandbox. `passed` and `failed` count tests; null where only the exit code is
    known."""

    name: str
    phase: Phase
    commit: CommitId
    tests_from: CommitId | None
    command: str
    exit_code: int
    passed: int | None
    failed: int | None
    verdict: CheckVerdict


class UsageResult(Model):
    """What the session's LLM calls came to. `cost_usd` is null where the price of a call is not known."""

    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None


class ResultReason(StrEnum):
    """Why a result is what it is."""

    COMPLETED = "completed"
    """The turn ran to its end, and no check is red. Where no checks are known there is only a setup to fail."""
    CHECKS_RED = "checks_red"
    """The turn ran to its end, and a check fails on what it left."""
    CHECKS_NOT_RUN = "checks_not_run"
    """The turn ran to its end, and the checks could not be run: their setup failed, or no sandbox could be had."""
    SETUP_FAILED = "setup_failed"
    """The turn ran to its end. There are no checks, and the setup fails on what it left."""
    STOPPED = "stopped"
    FAILED = "failed"
    NOT_RUN = "not_run"
    """No turn has ended yet."""


class Result(Model):
    """What came of a session so far. `ok`: the last turn ran to its end, no check is red, and all could be run. Where
    there are no checks the setup must not fail."""

    session: SessionId
    ok: bool
    reason: ResultReason
    branch: str | None
    commits: tuple[CommitResult, ...]
    pull_request: PullRequestResult | None
    checks: tuple[CheckOutcome, ...]
    usage: UsageResult


def result(state: State) -> Result:
    """The result as of this state. `branch` is None where nothing was pushed."""
    opened, reason = state.pull_request, _reason(state)
    return Result(
        session=state.session,
        ok=reason is ResultReason.COMPLETED,
        reason=reason,
        branch=state.branch if state.pushed else None,
        commits=tuple(CommitResult.of(commit) for commit in state.work.commits) if state.work else (),
        pull_request=PullRequestResult(number=opened.number, url=opened.url, state=opened.state) if opened else None,
        checks=_checks(state),
        usage=_usage(state),
    )


def _reason(state: State) -> ResultReason:
    end, proof = state.last_end, state.head_proof
    if end is None:
        return ResultReason.NOT_RUN
    if end.reason is not TurnEndReason.COMPLETED or proof is None:
        return ResultReason(end.reason.value)
    if proof.verdict is ProofVerdict.RED:
        return ResultReason.CHECKS_RED
    if proof.setup_failed:
        return ResultReason.SETUP_FAILED
    return ResultReason.CHECKS_NOT_RUN if proof.could_not_run else ResultReason.COMPLETED


def _checks(state: State) -> tuple[CheckOutcome, ...]:
    results = state.head_proof.results if state.head_proof else ()
    return tuple(
        CheckOutcome.model_validate({name: getattr(check, name) for name in CheckOutcome.model_fields})
        for check in results
    )


def _usage(state: State) -> UsageResult:
    spent = state.spending
    return UsageResult(
        calls=spent.calls,
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cache_read_tokens=spent.cache_read_tokens,
        cache_write_tokens=spent.cache_write_tokens,
        cost_usd=None if spent.unpriced_calls else round(spent.cost_usd, 6),
    )
