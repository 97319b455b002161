"""Running one phase: a clean sandbox, a fresh checkout, the setup, then each check."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.fleet.bring_up import BringUp
from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.model.errors import LimitReached, SandboxError
from outrider.model.events import CheckFinished, CheckStarted, StageReported
from outrider.model.ids import CommitId, LayerId, ProofId
from outrider.model.proof import CheckName, Phase
from outrider.model.sandbox import SandboxHandle
from outrider.model.services import Beside
from outrider.ports.broker import DoorSpec
from outrider.ports.clock import Clock
from outrider.ports.sandbox import Guest
from outrider.ports.store import Blobs
from outrider.proof.clean_run import Ended, Tree, run_command
from outrider.proof.compare import CheckRun, Runs
from outrider.proof.junit import Cases, ReportRefused
from outrider.proof.recipe import CheckSpec, Recipe
from outrider.proof.report_files import REPORT_VARIABLE, forget_reports, read_reports, report_path
from outrider.proof.results import Results
from outrider.proof.setting_up import Ground, SettingUp, SetupFailed
from outrider.proof.telling import Report, Teller

SPARE_SECONDS = 1800.0
"""Wall time of a sandbox beyond what its setup and checks may take: fetching, starting, reading reports."""


PHASES_AT_ONCE = 2
"""Of one proof. More would slow one another down, until a time limit speaks of us and not of the change."""


@dataclass(frozen=True, slots=True)
class PhaseRun:
    """What the phases of one proof have in common."""

    proof: ProofId
    ground: Ground
    base: CommitId
    report: Report
    teller: Teller


@dataclass(frozen=True, slots=True)
class BaseSetup:
    """The setup of the base commit. Nothing of it where the recipe has no setup."""

    inputs: str = ""
    """A digest of what the setup depends on; a head with the same one uses the same layer."""
    layer: LayerId | None = None
    failed: SetupFailed | None = None
    broken: str = ""
    """Why it could not be run at all."""


class Phases:
    """Runs phases. What goes wrong in one becomes its results; the others go on."""

    def __init__(self, sandboxes: CleanSandboxes, setting_up: SettingUp, blobs: Blobs, clock: Clock) -> None:
        self._sandboxes = sandboxes
        self._setting_up = setting_up
        self._blobs = blobs
        self._clock = clock
        self._turns = asyncio.Semaphore(PHASES_AT_ONCE)

    async def base_setup(self, run: PhaseRun) -> BaseSetup:
        """Make or find the setup of the base commit, which several phases wait for."""
        if not run.ground.recipe.setup:
            return BaseSetup()
        started = self._clock.monotonic()
        inputs = ""
        try:
            inputs = await self._setting_up.inputs(run.ground, run.base)
            made = await self._setting_up.layer(run.ground, run.base, inputs, run.teller.say("setup"))
        except (SandboxError, LimitReached) as error:
            setup = BaseSetup(inputs, broken=str(error))
        else:
            setup = BaseSetup(inputs, failed=made) if isinstance(made, SetupFailed) else BaseSetup(inputs, layer=made)
        await self._tell_setup(run, setup.layer is not None, self._clock.monotonic() - started)
        return setup

    async def run(self, run: PhaseRun, phase: Phase, tree: Tree, setup: asyncio.Task[BaseSetup]) -> Runs:
        """One phase to its end, with a result for each check of the recipe."""
        results = Results(self._blobs, run.ground.session, phase, tree)
        runs: dict[CheckName, CheckRun] = {}
        failed, reason = None, ""
        try:
            ready = await setup
            async with self._turns:
                failed = await self._run_checks(run, results, ready, runs)
        except (SandboxError, LimitReached) as error:
            reason = str(error)
        for check in run.ground.recipe.checks:
            if check.name not in runs:
                ended = await results.not_set_up(check, failed) if failed else results.stopped(check, reason)
                runs[check.name] = ended
                await run.report(CheckFinished(proof=run.proof, result=ended.result))
        return runs

    async def setup_alone(self, run: PhaseRun, head: Tree) -> SetupFailed | None:
        """Whether the setup of a recipe without checks fails on a head: the base's where it depends on nothing that
        differs, else its own. Raises SandboxError, LimitReached where it could not be run."""
        ground, setup = run.ground, await self.base_setup(run)
        if not await self._needs_own_setup(run, head, setup):
            if setup.broken:
                raise SandboxError(setup.broken)
            return setup.failed
        spec = CleanSpec("the setup", ground.image.layers, ground.image.toolbox, caps=ground.recipe.limits)
        async with self._sandboxes.open(spec, run.teller.say("setup")) as handle:
            await self._setting_up.check_out(ground, handle, head)
            return await self._setting_up.run(ground, handle, run.teller.say("setup"))

    async def _run_checks(
        self, run: PhaseRun, results: Results, setup: BaseSetup, runs: dict[CheckName, CheckRun]
    ) -> SetupFailed | None:
        """Fill `runs` as checks finish. Returns the setup that failed, if one did. Raises SandboxError."""
        ground, tree = run.ground, results.tree
        own_setup = await self._needs_own_setup(run, tree, setup)
        if setup.failed and not own_setup:
            return setup.failed
        if setup.broken and not own_setup:
            raise SandboxError(setup.broken)
        layers = ground.image.layers + ((setup.layer,) if setup.layer and not own_setup else ())
        seconds, caps = _wall_seconds(ground.recipe), ground.recipe.limits
        spec = CleanSpec("the checks", layers, ground.image.toolbox, wall_seconds=seconds, caps=caps)
        async with self._sandboxes.open(spec, run.teller.say("checks")) as handle:
            await self._setting_up.check_out(ground, handle, tree)
            failed = await self._setting_up.run(ground, handle, run.teller.say("setup")) if own_setup else None
            if failed:
                return failed
            await self._bring_up(run, handle)
            for check in ground.recipe.checks:
                started = CheckStarted(proof=run.proof, phase=results.phase, name=check.name, command=check.command)
                await run.report(started)
                runs[check.name] = await self._check(run, results, handle, check)
                await run.report(CheckFinished(proof=run.proof, result=runs[check.name].result))
        return None

    async def _bring_up(self, run: PhaseRun, handle: SandboxHandle) -> None:
        """The services and start commands. What is missing is told, and the checks show what it means. Raises
        SandboxError."""
        if run.ground.beside == Beside():
            return
        async with self._sandboxes.connect(handle) as guest:
            up = await BringUp(guest, run.ground.beside, {}, self._clock, run.teller.say("services")).all()
        for failure in up.failures:
            await run.report(StageReported(stage="services", text=failure[:4096], failed=True))

    async def _needs_own_setup(self, run: PhaseRun, tree: Tree, setup: BaseSetup) -> bool:
        """Whether the base's setup does not serve this tree. Decided on our side, never by what is in the tree."""
        if not run.ground.recipe.setup or tree.commit == run.base:
            return False
        return await self._setting_up.inputs(run.ground, tree.commit) != setup.inputs

    async def _check(self, run: PhaseRun, results: Results, handle: SandboxHandle, check: CheckSpec) -> CheckRun:
        """One check, over a connection of its own: what it may reach ends with it."""
        owner = run.ground.owner
        door = DoorSpec(owner=owner, egress=run.ground.egress) if check.egress else None
        egress = self._sandboxes.broker.guest_environment() if check.egress else {}
        env = {**egress, **run.ground.beside.environment}
        async with self._sandboxes.connect(handle, door) as guest:
            ended, cases, note = await self._run_check(guest, check, env)
        return await results.ran(check, ended, cases, note)

    async def _run_check(
        self, guest: Guest, check: CheckSpec, env: Mapping[str, str]
    ) -> tuple[Ended, Cases | None, str]:
        """How the command ended, what its report says, and why the report was refused if it was."""
        await forget_reports(guest, check)
        ended = await run_command(
            guest,
            check.command,
            {**env, REPORT_VARIABLE: report_path(check)},
            timeout_seconds=check.timeout_seconds,
            clock=self._clock,
        )
        try:
            return ended, await read_reports(guest, check), ""
        except ReportRefused as error:
            return ended, None, f"{error} The check is judged by its exit code alone."

    async def _tell_setup(self, run: PhaseRun, done: bool, seconds: float) -> None:
        await run.teller.flush()
        text = "The base is set up." if done else "The setup of the base failed."
        await run.report(StageReported(stage="setup", text=text, seconds=round(seconds, 3), failed=not done))


def _wall_seconds(recipe: Recipe) -> float:
    """As much time as everything in the recipe may take."""
    checks = sum(check.timeout_seconds for check in recipe.checks)
    services = sum(service.timeout_seconds for service in recipe.services) + recipe.start_timeout_seconds
    return recipe.setup_timeout_seconds + services + checks + SPARE_SECONDS
