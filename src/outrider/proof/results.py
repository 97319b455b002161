"""Turning what ran, or could not run, into results with their logs kept."""

from collections import Counter
from dataclasses import dataclass

from outrider.model.ids import SessionId
from outrider.model.proof import CaseOutcome, CheckResult, CheckVerdict, Phase
from outrider.ports.store import Blobs
from outrider.proof.clean_run import Ended, Tree
from outrider.proof.compare import CheckRun
from outrider.proof.junit import Cases
from outrider.proof.printed import plain_tail
from outrider.proof.recipe import CheckSpec
from outrider.proof.setting_up import SetupFailed

LOG_TYPE = "text/plain; charset=utf-8"

NOT_RUN_EXIT_CODE = -1
"""Of a check whose command was never started, or whose end nobody saw."""


@dataclass(frozen=True, slots=True)
class Results:
    """Makes the results of one phase."""

    blobs: Blobs
    session: SessionId
    phase: Phase
    tree: Tree

    async def ran(self, check: CheckSpec, ended: Ended, cases: Cases | None, note: str = "") -> CheckRun:
        """The check ran to its end. `note` is added to what it printed: a report that was refused, a time limit."""
        if ended.timed_out:
            note = f"Killed after {check.timeout_seconds:g} s, its time limit. {note}".strip()
        result = await self._result(check, ended, note)
        counts = Counter((cases or {}).values())
        return CheckRun(
            result.model_copy(
                update={
                    "verdict": verdict_of(ended, counts),
                    "passed": None if cases is None else counts[CaseOutcome.PASSED],
                    "failed": None if cases is None else counts[CaseOutcome.FAILED],
                    "errors": None if cases is None else counts[CaseOutcome.ERROR],
                    "skipped": None if cases is None else counts[CaseOutcome.SKIPPED],
                }
            ),
            cases,
        )

    async def not_set_up(self, check: CheckSpec, failed: SetupFailed) -> CheckRun:
        """The setup failed before the check could run; the log is the setup's."""
        return CheckRun(await self._result(check, failed.ended, failed.told()))

    def stopped(self, check: CheckSpec, reason: str) -> CheckRun:
        """The sandbox went away, or could not be made."""
        return CheckRun(
            CheckResult(
                name=check.name,
                phase=self.phase,
                commit=self.tree.commit,
                tests_from=self.tree.tests_from,
                command=check.command,
                exit_code=NOT_RUN_EXIT_CODE,
                seconds=0,
                verdict=CheckVerdict.STOPPED,
                tail=plain_tail(reason),
            )
        )

    async def _result(self, check: CheckSpec, ended: Ended, note: str) -> CheckResult:
        """What any command left; the verdict is that of a failed setup until something better is known."""
        printed = ended.printed
        said = f"\n[outrider] {note}\n" if note else ""
        log = await self.blobs.put(self.session, printed.log() + said.encode(), media_type=LOG_TYPE)
        return CheckResult(
            name=check.name,
            phase=self.phase,
            commit=self.tree.commit,
            tests_from=self.tree.tests_from,
            command=check.command,
            exit_code=ended.exit_code,
            seconds=round(ended.seconds, 3),
            verdict=CheckVerdict.SETUP_FAILED,
            log=log,
            log_bytes=printed.total,
            log_truncated=printed.truncated,
            tail=plain_tail(printed.tail() + said),
        )


def verdict_of(ended: Ended, counts: Counter[CaseOutcome]) -> CheckVerdict:
    """Green is exit code 0 and no red test: a command that swallows the exit code of its tests is not believed."""
    if ended.timed_out:
        return CheckVerdict.TIMED_OUT
    red = counts[CaseOutcome.FAILED] + counts[CaseOutcome.ERROR]
    return CheckVerdict.PASSED if ended.exit_code == 0 and red == 0 else CheckVerdict.FAILED
