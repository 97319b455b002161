"""A guest's workspace before the sync: files to read, and whose name stands on commits."""

from outrider.model.commands import Report
from outrider.model.errors import SandboxError
from outrider.model.events import ProblemReported, StageReported
from outrider.model.ids import CommitId
from outrider.model.person import Person
from outrider.model.sandbox import SYNC_ROLE
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.effects import checkout
from outrider.session.found import Found
from outrider.session.workbench import Workbench

_IDENTITY = """
be() { git config --global user.name "$1" && git config --global user.email "$2"; }
be "$@" 2>/dev/null || { sleep 0.2; rm -f "$HOME/.gitconfig.lock"; be "$@"; }
"""
"""A git that was killed, by a stop or with its engine, leaves its lock for ever."""


async def files_to_read(guest: Guest, found: Found, bench: Workbench, actor: Actor) -> CommitId:
    """The commit that the workspace stands on: its image's, or what it was left on; where it has none, the repository
    is cloned. Raises SandboxError."""
    state = actor.state
    if found.fresh and state.sandbox and state.sandbox.handle:
        await actor.ask(Report(_files_are_gone(state.base, crashed=bench.link.crashed)))
    if found.standing:
        return found.standing
    standing = await checkout.look(guest)
    if standing.head or standing.ready:
        return standing.head or state.base
    await _clone(guest, bench, actor)
    return state.base


async def identify(guest: Guest, person: Person) -> None:
    """From now on commits are this person's. Raises SandboxError."""
    argv = ["sh", "-c", _IDENTITY, "sh", person.name, person.email]
    result = await guest.run(ExecSpec(argv=argv, env={"OUTRIDER_ROLE": SYNC_ROLE}))
    if result.exit_code != 0:
        said = result.output.decode(errors="replace").strip()[-500:]
        raise SandboxError(f"The workspace could not be made ready: {said}")


def _files_are_gone(commit: CommitId, *, crashed: bool) -> ProblemReported:
    gone = f"{wording.MACHINE_STOPPED}." if crashed else "The sandbox with its files is gone."
    return ProblemReported(
        sentence=f"{gone} The workspace was made again from commit {commit[:12]}; "
        "changes that were not pushed are lost."
    )


async def _clone(guest: Guest, bench: Workbench, actor: Actor) -> None:
    name, commit = actor.state.created.repository.name, actor.state.base
    started = bench.clock.monotonic()
    actor.hub.progress("clone", f"Cloning {name}")
    await checkout.clone(guest, actor.state.branch, commit)
    seconds = bench.clock.monotonic() - started
    text = f"Cloned {name} at {commit[:12]}."
    await actor.ask(Report(StageReported(stage="clone", text=text, seconds=seconds)))
