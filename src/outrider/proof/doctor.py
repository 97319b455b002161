"""The doctor for repositories: the checks of a recipe, run once in its fresh image, before anybody touches anything.

This proves nothing about a change (that is `Prover`'s, in clean sandboxes): it says what an agent will meet.
"""

import re
from collections import Counter

from outrider.fleet.bring_up import BringUp
from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.images.log import BuildLog
from outrider.model.egress import EgressPolicy
from outrider.model.image import CheckFinding, Diagnosis, RepositoryImage
from outrider.model.proof import CaseOutcome
from outrider.model.repository import Repository
from outrider.model.sandbox import SandboxHandle
from outrider.model.services import Beside, ServiceStatus
from outrider.ports.broker import DoorSpec
from outrider.ports.clock import Clock
from outrider.ports.sandbox import Guest
from outrider.proof.clean_run import Ended, run_command
from outrider.proof.junit import Cases, ReportRefused
from outrider.proof.planning import RecipePlanner
from outrider.proof.printed import plain_tail
from outrider.proof.recipe import CheckSpec, Recipe
from outrider.proof.report_files import REPORT_VARIABLE, forget_reports, read_reports, report_path
from outrider.proof.results import verdict_of

SPARE_SECONDS = 600.0
"""Wall time beyond what the checks and services may take."""

TOOLS_LIMIT = 20

_NOT_FOUND = re.compile(
    r"(?:^|[:\s])(?:line )?\d*:?\s*(?P<shell>[\w./+-]{1,100}): (?:command )?not found\s*$"
    r"|^(?:make|env|/usr/bin/env): ['\u2018]?(?P<other>[\w./+-]{1,100})['\u2019]?: No such file or directory\s*$",
    re.MULTILINE,
)


class ImageDoctor:
    """Implements `outrider.fleet.images.making.Examiner`."""

    def __init__(self, sandboxes: CleanSandboxes, planner: RecipePlanner, clock: Clock) -> None:
        self._sandboxes = sandboxes
        self._planner = planner
        self._clock = clock

    async def examine(self, repository: Repository, image: RepositoryImage, log: BuildLog) -> Diagnosis:
        """Run every check once in a sandbox made from the image, with the egress that checks have. Raises
        OutriderError where that cannot be done."""
        recipe = await self._planner.recipe(repository, image.commit)
        started = self._clock.monotonic()
        if not recipe.checks:
            return Diagnosis(notice=recipe.notice, at=self._clock.now(), seconds=0)
        seconds, caps = _wall_seconds(recipe), recipe.limits
        spec = CleanSpec("the first checks", image.layers, image.toolbox, wall_seconds=seconds, caps=caps)
        async with self._sandboxes.open(spec, log.say) as handle:
            beside = recipe.beside(repository.name)
            skipped = await self._services(handle, beside, log)
            door = DoorSpec(owner=image.build, egress=EgressPolicy.of(repository.name, recipe.egress))
            findings = [await self._check(handle, door, (check, beside), log) for check in recipe.checks]
        return Diagnosis(
            checks=tuple(findings),
            skipped_services=skipped,
            at=self._clock.now(),
            seconds=round(self._clock.monotonic() - started, 3),
        )

    async def _services(self, handle: SandboxHandle, beside: Beside, log: BuildLog) -> tuple[str, ...]:
        """Start the services, and run the start commands; the services that did not get ready."""
        if beside == Beside():
            return ()
        async with self._sandboxes.connect(handle) as guest:
            up = await BringUp(guest, beside, {}, self._clock, log.say).all()
        for failure in up.failures:
            log.say(failure)
        return tuple(state.name for state in up.services if state.status is ServiceStatus.FAILED)

    async def _check(
        self, handle: SandboxHandle, door: DoorSpec, what: tuple[CheckSpec, Beside], log: BuildLog
    ) -> CheckFinding:
        """One check, over a connection of its own: what it may reach ends with it."""
        check, beside = what
        log.say(f"Checking: {check.command}")
        env = self._sandboxes.broker.guest_environment() if check.egress else {}
        async with self._sandboxes.connect(handle, door if check.egress else None) as guest:
            await forget_reports(guest, check)
            env = {**env, **beside.environment, REPORT_VARIABLE: report_path(check)}
            ended = await run_command(
                guest, check.command, env, timeout_seconds=check.timeout_seconds, clock=self._clock
            )
            cases = await _cases(guest, check)
        log.output(ended.printed.log())
        found = finding_of(check, ended, cases)
        return found.model_copy(update={"tail": log.clean(found.tail)})


async def _cases(guest: Guest, check: CheckSpec) -> Cases | None:
    """What its report says; None where there is none that can be read."""
    try:
        return await read_reports(guest, check)
    except ReportRefused:
        return None


def finding_of(check: CheckSpec, ended: Ended, cases: Cases | None) -> CheckFinding:
    """What a check that ran has shown."""
    counts = Counter((cases or {}).values())
    numbers = {
        "passed": CaseOutcome.PASSED,
        "failed": CaseOutcome.FAILED,
        "errors": CaseOutcome.ERROR,
        "skipped": CaseOutcome.SKIPPED,
    }
    return CheckFinding(
        name=check.name,
        command=check.command,
        verdict=verdict_of(ended, counts),
        exit_code=ended.exit_code,
        seconds=round(ended.seconds, 3),
        missing_tools=missing_tools(ended) if ended.exit_code != 0 else (),
        tail=plain_tail(ended.printed.tail()),
        **({} if cases is None else {name: counts[outcome] for name, outcome in numbers.items()}),
    )


def missing_tools(ended: Ended) -> tuple[str, ...]:
    """The programs that a shell, make or env said it did not find."""
    found = [match["shell"] or match["other"] for match in _NOT_FOUND.finditer(ended.printed.tail())]
    return tuple(dict.fromkeys(found))[:TOOLS_LIMIT]


def _wall_seconds(recipe: Recipe) -> float:
    """As much time as everything may take."""
    checks = sum(check.timeout_seconds for check in recipe.checks)
    return checks + sum(service.timeout_seconds for service in recipe.services) + SPARE_SECONDS
