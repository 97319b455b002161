"""The setup commands of a session's workspace, run and told."""

from outrider.model.commands import Report
from outrider.model.events import StageReported
from outrider.model.sandbox import ENGINE_ROLE, SETUP_ROLE, SYNC_ROLE
from outrider.ports.sandbox import Guest
from outrider.proof.clean_run import run_command
from outrider.proof.recipe import Recipe
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.effects.start.services import environment
from outrider.session.workbench import Workbench

SPARED = (ENGINE_ROLE, SYNC_ROLE)
"""What runs beside a setup and does not end with it."""


async def set_up(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor) -> None:
    """Run the setup. One that fails is said, and the session goes on so that the agent can mend it. Raises
    SandboxError."""
    started = bench.clock.monotonic()
    env = {"OUTRIDER_ROLE": SETUP_ROLE, **bench.world.broker.guest_environment(), **await environment(bench, actor)}
    for command in recipe.setup:
        actor.hub.progress("setup", f"Setting up: {command}"[:1000])
        left = max(recipe.setup_timeout_seconds - (bench.clock.monotonic() - started), 1)
        ended = await run_command(guest, command, env, timeout_seconds=left, clock=bench.clock, spare=SPARED)
        if ended.exit_code != 0:
            how = "took too long" if ended.timed_out else f"ended with exit code {ended.exit_code}"
            await _tell(bench, actor, started, f"`{command}` {how}:\n{ended.printed.tail()}", failed=True)
            return
    await _tell(bench, actor, started, wording.count(len(recipe.setup), "setup command") + " done.")


async def _tell(bench: Workbench, actor: Actor, started: float, text: str, *, failed: bool = False) -> None:
    seconds = bench.clock.monotonic() - started
    said = wording.sentence(bench.world.redactor.text(text))
    await actor.ask(Report(StageReported(stage="setup", text=said, seconds=seconds, failed=failed)))
