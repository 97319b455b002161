"""Make a guest's workspace ready: the clone, the setup, and whose name stands on commits."""

from outrider.model.commands import Report
from outrider.model.errors import SandboxError
from outrider.model.events import ProblemReported, StageReported
from outrider.model.ids import CommitId
from outrider.model.person import Person
from outrider.model.sandbox import BROKER_PORT, GUEST_HOME, WORKSPACE
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.proof.clean_run import run_command
from outrider.proof.recipe import Recipe
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.state import State
from outrider.session.workbench import Workbench

REPOSITORY_URL = f"http://127.0.0.1:{BROKER_PORT}/git/repository.git"
CLONE_SECONDS = 900.0
"""A repository of 1 GB takes some 30 s over the loopback; more is a hang."""

WORTH_TELLING_SECONDS = 0.5
READY = f"{GUEST_HOME}/.outrider/ready"
"""Stands where the workspace was once made ready; what it holds is the agent's from then on."""

# What an earlier try left that was cut off, locks and all, is in the way; nobody has worked in it yet.
_CLONE = """set -eu
url=$1 branch=$2 commit=$3
find . -mindepth 1 -maxdepth 1 -exec rm -rf {} +
git init -q
git remote add origin "$url"
git -c http.proxy= fetch -q origin '+refs/heads/*:refs/remotes/origin/*' '^refs/heads/outrider/*'
git cat-file -e "$commit^{commit}" 2>/dev/null || git -c http.proxy= fetch -q origin "refs/heads/$branch"
git -c core.hooksPath=/dev/null checkout -q --force -B "$branch" "$commit"
"""
_IDENTITY = 'git config --global user.name "$1" && git config --global user.email "$2"'
_MARK = 'mkdir -p "$(dirname "$1")" && touch "$1"'


async def prepare(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor) -> CommitId:
    """Clone and set up, once in the life of a sandbox. Returns the commit that the clone stood on. A setup that fails
    is said, and the session goes on so that the agent can mend it. Raises SandboxError."""
    state = actor.state
    commit = state.pushed or state.created.base_commit
    if (await guest.run(ExecSpec(argv=["test", "-e", READY]))).exit_code == 0:
        return commit
    if state.sandbox and state.sandbox.handle:
        await actor.ask(Report(_files_are_gone(commit)))
    await _clone(guest, state, commit, bench, actor)
    await _set_up(guest, recipe, bench, actor)
    await _shell(guest, _MARK, READY)
    return commit


async def identify(guest: Guest, person: Person) -> None:
    """From now on commits are this person's."""
    await _shell(guest, _IDENTITY, person.name, person.email)


def _files_are_gone(commit: CommitId) -> ProblemReported:
    return ProblemReported(
        sentence=f"The sandbox with its files is gone. The workspace was made again from commit {commit[:12]}; "
        "changes that were not pushed are lost."
    )


async def _clone(guest: Guest, state: State, commit: CommitId, bench: Workbench, actor: Actor) -> None:
    started = bench.clock.monotonic()
    actor.hub.progress("clone", f"Cloning {state.created.repository.name}")
    argv = ["sh", "-c", _CLONE, "sh", REPOSITORY_URL, state.branch, commit]
    result = await guest.run(ExecSpec(argv=argv, cwd=WORKSPACE), timeout_seconds=CLONE_SECONDS)
    if result.exit_code != 0:
        said = result.output.decode(errors="replace").strip()[-1000:]
        raise SandboxError(f"The repository could not be cloned into the sandbox: {said or 'it took too long'}")
    seconds = bench.clock.monotonic() - started
    text = f"Cloned {state.created.repository.name} at {commit[:12]}."
    await actor.ask(Report(StageReported(stage="clone", text=text, seconds=seconds)))


async def _set_up(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor) -> None:
    if not recipe.setup:
        return
    started = bench.clock.monotonic()
    env = bench.world.broker.guest_environment()
    for command in recipe.setup:
        actor.hub.progress("setup", f"Setting up: {command}"[:1000])
        left = recipe.setup_timeout_seconds - (bench.clock.monotonic() - started)
        ended = await run_command(guest, command, env, timeout_seconds=max(left, 1), clock=bench.clock)
        if ended.exit_code != 0:
            how = "took too long" if ended.timed_out else f"ended with exit code {ended.exit_code}"
            await _tell_setup(bench, actor, started, f"`{command}` {how}:\n{ended.printed.tail()}", failed=True)
            return
    await _tell_setup(bench, actor, started, wording.count(len(recipe.setup), "setup command") + " done.")


async def _tell_setup(bench: Workbench, actor: Actor, started: float, text: str, *, failed: bool = False) -> None:
    seconds = bench.clock.monotonic() - started
    said = wording.sentence(bench.world.redactor.text(text))
    await actor.ask(Report(StageReported(stage="setup", text=said, seconds=seconds, failed=failed)))


async def _shell(guest: Guest, script: str, *arguments: str) -> None:
    result = await guest.run(ExecSpec(argv=["sh", "-c", script, "sh", *arguments]))
    if result.exit_code != 0:
        said = result.output.decode(errors="replace").strip()[-500:]
        raise SandboxError(f"The workspace could not be made ready: {said}")
