"""Proving a change: the checks of the base commit's recipe, run in clean sandboxes on base, before and after."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.images.machine import Images
from outrider.model.errors import OutriderError
from outrider.model.ids import CommitId, ProofId, SessionId
from outrider.model.proof import Phase, Proof, ProofVerdict
from outrider.ports.clock import Clock
from outrider.ports.images import LayerUses
from outrider.ports.quarantine import Quarantine
from outrider.ports.store import Blobs
from outrider.proof.changes import Changes, read_changes
from outrider.proof.clean_run import Tree
from outrider.proof.compare import Comparison, Runs, compare
from outrider.proof.phases import PhaseRun, Phases
from outrider.proof.reading import read_recipe
from outrider.proof.recipe import Recipe
from outrider.proof.setting_up import Ground, SettingUp, SetupFailed
from outrider.proof.telling import ProofEvent, Report, Teller

__all__ = ["ProofEvent", "ProofRequest", "Prover", "Report"]


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What to prove. Both commits stand in the session's quarantine."""

    proof: ProofId
    session: SessionId
    repository: str
    """Name of the repository: finished setups are shared between proofs of one repository, never between two."""
    base: CommitId
    head: CommitId


class Prover:
    """Runs the checks and says what they show."""

    def __init__(
        self,
        sandboxes: CleanSandboxes,
        images: Images,
        quarantine: Quarantine,
        blobs: Blobs,
        clock: Clock,
        uses: LayerUses | None = None,
    ) -> None:
        self._sandboxes = sandboxes
        self._images = images
        self._quarantine = quarantine
        self._blobs = blobs
        self._clock = clock
        self._setting_up = SettingUp(sandboxes, quarantine, clock, uses)

    async def prove(self, request: ProofRequest, report: Report) -> Proof:
        """Run the checks and compare. What went wrong with the checks, the setup or the recipe is in the proof;
        nothing of it is raised. Cancelling destroys the sandboxes."""
        teller = Teller(report, self._clock)
        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(teller.run(), name=f"telling-{request.proof}")
                proof = await self._proof(request, report, teller)
                telling.cancel()
        except ExceptionGroup as group_of_errors:
            told = _told(group_of_errors)
            if told is None:
                raise
            return _not_run(request, told)
        return proof

    async def _proof(self, request: ProofRequest, report: Report, teller: Teller) -> Proof:
        recipe, changes = None, Changes()
        try:
            recipe = await read_recipe(self._quarantine, request.session, request.base)
            changes = await read_changes(self._quarantine, request.session, request.base, request.head, recipe)
            if not recipe.checks and not recipe.setup:
                return _proof(request, Comparison(ProofVerdict.NOT_RUN, recipe.notice), recipe, changes, {})
            run = await self._common(request, recipe, report, teller)
            if not recipe.checks:
                failed = await self._phases().setup_alone(run, Tree(request.head))
                return _set_up_alone(request, recipe, changes, failed)
            runs = await self._run(request, run, changes)
        except OutriderError as error:
            return _not_run(request, error, recipe, changes)
        before = runs.get(Phase.BEFORE, runs[Phase.BASE])
        return _proof(request, compare(runs[Phase.BASE], before, runs[Phase.AFTER]), recipe, changes, runs)

    def _phases(self) -> Phases:
        return Phases(self._sandboxes, self._setting_up, self._blobs, self._clock)

    async def _common(self, request: ProofRequest, recipe: Recipe, report: Report, teller: Teller) -> PhaseRun:
        image = await self._images.prepare(recipe.wants(), teller.say("image"))
        teller.say("image")(image.notice)
        ground = Ground(image, recipe, request.session, request.proof, request.repository)
        return PhaseRun(request.proof, ground, request.base, report, teller)

    async def _run(self, request: ProofRequest, run: PhaseRun, changes: Changes) -> Mapping[Phase, Runs]:
        """All phases at once; the slots for sandboxes decide how many really run. Where no test file changed, the tree
        of `before` is that of `base`: it is not run a second time and not listed as if it had been."""
        phases = self._phases()
        trees = changes.trees(request.base, request.head)
        async with asyncio.TaskGroup() as group:
            setup = group.create_task(phases.base_setup(run), name=f"setup-{request.proof}")
            tasks = {
                phase: group.create_task(phases.run(run, phase, tree, setup), name=f"{phase}-{request.proof}")
                for phase, tree in trees.items()
            }
        return {phase: tasks[phase].result() for phase in Phase if phase in tasks}


def _told(group: ExceptionGroup[Exception]) -> OutriderError | None:
    """What a person can be told, where nothing else is in the group: anything else is our own mistake."""
    told, others = group.split(OutriderError)
    error: BaseException | None = told if others is None else None
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, OutriderError) else None


def _not_run(
    request: ProofRequest, error: OutriderError, recipe: Recipe | None = None, changes: Changes | None = None
) -> Proof:
    what = "checks" if recipe is None or recipe.checks else "set-up"
    said = Comparison(ProofVerdict.NOT_RUN, f"The {what} could not be run: {error}"[:1000])
    proof = _proof(request, said, recipe, changes or Changes(), {})
    return proof.model_copy(update={"could_not_run": recipe is None or bool(recipe.checks or recipe.setup)})


def _set_up_alone(request: ProofRequest, recipe: Recipe, changes: Changes, failed: SetupFailed | None) -> Proof:
    """What the setup of a recipe without checks shows: that it fails, or nothing."""
    summary = f"There are no checks. {failed.told()}" if failed else recipe.notice
    proof = _proof(request, Comparison(ProofVerdict.NOT_RUN, summary[:1000]), recipe, changes, {})
    return proof.model_copy(update={"setup_failed": failed is not None})


def _proof(
    request: ProofRequest,
    comparison: Comparison,
    recipe: Recipe | None,
    changes: Changes,
    runs: Mapping[Phase, Runs],
) -> Proof:
    return Proof(
        id=request.proof,
        base=request.base,
        head=request.head,
        verdict=comparison.verdict,
        summary=comparison.summary,
        results=tuple(run.result for of_phase in runs.values() for run in of_phase.values()),
        red_to_green=comparison.red_to_green,
        vanished=comparison.vanished,
        newly_skipped=comparison.newly_skipped,
        marked_files=changes.marked,
        recipe_source=recipe.source if recipe else "",
        could_not_run=comparison.verdict is ProofVerdict.NOT_RUN and (recipe is None or bool(recipe.checks)),
    )
