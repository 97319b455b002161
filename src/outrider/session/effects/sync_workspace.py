"""Bring the workspace to the session's commit, while the engine may already read in it.

Services of stacks start while the branch is fetched and checked out → setup runs where what it depends on has changed
→ the repository's own services start, then its start commands. What the engine asks to do in between waits in the ear.
"""

import asyncio
from dataclasses import dataclass

from outrider.model.commands import Command, Report
from outrider.model.effects import SyncWorkspace
from outrider.model.errors import OutriderError
from outrider.model.events import ProblemReported, SyncFinished
from outrider.model.ids import CommitId
from outrider.ports.sandbox import Guest
from outrider.proof.globs import Globs
from outrider.proof.recipe import Recipe
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.effects import checkout
from outrider.session.effects.set_up import set_up
from outrider.session.effects.start.recipe import read_or_nothing, read_or_tell
from outrider.session.effects.start.services import start_stacks, start_the_rest
from outrider.session.found import Found
from outrider.session.stopwatch import Stopwatch
from outrider.session.workbench import Workbench

MOST_FILES = 50
"""Paths that differ, told to the engine and kept in the log."""


@dataclass(frozen=True, slots=True)
class _Move:
    """What the checkout was and is on."""

    before: CommitId
    after: CommitId
    in_the_way: int
    files: tuple[str, ...] | None
    """The paths that differ; None where that cannot be said."""
    ready: bool = False
    """Whether nothing is left to do but to start what runs beside the work."""


async def sync_workspace(effect: SyncWorkspace, bench: Workbench, actor: Actor) -> Command:
    """Answers when the files are the session's, set up, and services run."""
    guest, found = await bench.link.reached(), bench.link.found
    watch = Stopwatch(bench.clock)
    recipe = await _recipe(found, bench, actor)
    watch.lap("recipe")
    async with asyncio.TaskGroup() as tasks:
        moving = tasks.create_task(_move(guest, _target(found, recipe, bench, actor), bench, actor), name="checkout")
        await start_stacks(guest, recipe, bench, actor)
    move = moving.result()
    watch.lap("checkout")
    due = not move.ready and bool(recipe.setup) and await _is_due(move, found, recipe, bench, actor)
    if due:
        await set_up(guest, recipe, bench, actor)
        watch.lap("setup")
    started = not due and _ran_in_the_pool(found, move, recipe)
    await start_the_rest(guest, recipe, bench, actor, started=started)
    if not move.ready:
        await checkout.mark_ready(guest)
    watch.lap("services")
    synced = _finished(move, watch, setup_ran=due)
    bench.world.meters.synced(synced)
    return Report(synced)


async def _recipe(found: Found, bench: Workbench, actor: Actor) -> Recipe:
    """A wrong one is said once in the life of a sandbox; a cold start has said it."""
    if found.fresh and found.how != "cold":
        return await read_or_tell(bench, actor)
    return await read_or_nothing(bench, actor, actor.state.created.base_commit)


def _target(found: Found, recipe: Recipe, bench: Workbench, actor: Actor) -> checkout.Target:
    """Where an image's checkout stands on the commit already, nothing may be left but what comes beside the work."""
    state = actor.state
    before = found.standing
    if before and before != state.base:
        actor.hub.progress("sync", f"Reading at {before[:12]} while syncing to {state.base[:12]}")
    beside = recipe.beside(state.created.repository.name)
    complete = found.image_commit is not None and not beside.services and not beside.start
    behind = found.stood if state.pushed and found.stood != state.pushed else None
    return checkout.Target(state.branch, state.base, state.created.base_branch, complete, behind)


async def _move(guest: Guest, target: checkout.Target, bench: Workbench, actor: Actor) -> _Move:
    moved = await checkout.move(guest, target, bench.policy.sync_seconds)
    before = moved.before or target.commit
    if moved.ready:
        return _Move(before, before, 0, (), ready=True)
    if moved.in_the_way:
        await actor.ask(Report(_gave_way(moved.in_the_way, target.commit)))
    files = await _changed(before, bench, actor)
    return _Move(before, target.commit, moved.in_the_way, files, ready=moved.marked)


def _ran_in_the_pool(found: Found, move: _Move, recipe: Recipe) -> bool:
    """Whether the start commands of these very files have run before the session had the sandbox."""
    taken = found.taken
    return bool(taken and taken.start_ran and move.before == move.after and taken.plan.beside.start == recipe.start)


async def _changed(before: CommitId, bench: Workbench, actor: Actor) -> tuple[str, ...] | None:
    """The paths that differ between two commits, asked of our own copy."""
    state = actor.state
    if before == state.base:
        return ()
    try:
        quarantine = await bench.world.open_quarantine(state.created)
        return await quarantine.changed_paths(state.session, before, state.base)
    except OutriderError:
        return None


async def _is_due(move: _Move, found: Found, recipe: Recipe, bench: Workbench, actor: Actor) -> bool:
    """Whether the setup has to run: a clone was never set up, and an image's setup is old where anything that it
    depends on differs."""
    if found.image_commit is None or move.in_the_way or move.files is None:
        return True
    if not move.files:
        return False
    if recipe.setup_inputs is None:
        return True
    before = await read_or_nothing(bench, actor, move.before)
    return before.setup != recipe.setup or any(map(Globs(recipe.setup_inputs).match, move.files))


def _finished(move: _Move, watch: Stopwatch, *, setup_ran: bool) -> SyncFinished:
    files = move.files or ()
    return SyncFinished(
        commit=move.after,
        from_commit=move.before,
        moved=move.before != move.after,
        seconds=watch.seconds,
        setup_ran=setup_ran,
        files=tuple(path[:1000] for path in files[:MOST_FILES]),
        files_changed=len(files),
        steps=watch.steps,
    )


def _gave_way(count: int, commit: CommitId) -> ProblemReported:
    return ProblemReported(
        sentence=f"{wording.count(count, 'file')} of the image that setup had written stood in the way of commit "
        f"{commit[:12]}. The commit's files are there now, and setup runs again; copies of the others are in "
        f"{checkout.IN_THE_WAY}.",
        remedy="Have setup leave committed files alone, or add what it writes to .gitignore.",
    )
