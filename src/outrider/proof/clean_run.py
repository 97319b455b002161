"""What is done inside a clean sandbox: a fresh checkout, the setup, one check. The guest's answers are not trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.fleet.shell import Shell, run_shell
from outrider.model.errors import SandboxError
from outrider.model.ids import CommitId
from outrider.model.sandbox import BROKER_PORT, WORKSPACE
from outrider.ports.clock import Clock
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.proof.printed import Printed

CHECKOUT_SECONDS = 600.0
"""A gigabyte over the loopback takes some 20 s; ten minutes is a hang."""

_CHECK_OUT = """set -eu
url=$1 commit=$2; shift 2
git init -q
git -c http.proxy= fetch -q --no-tags --depth 1 "$url" "$commit" "$@"
git -c core.hooksPath=/dev/null checkout -q --force --detach "$commit"
"""

_LAY_OVER = """set -eu
git -c core.hooksPath=/dev/null --literal-pathspecs \
  checkout -q "$1" --pathspec-from-file=- --pathspec-file-nul
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files that a phase runs on: a commit, and the test files of another commit laid over it."""

    commit: CommitId
    tests_from: CommitId | None = None
    laid_over: tuple[str, ...] = ()
    """Test files that are taken from `tests_from`."""
    removed: tuple[str, ...] = ()
    """Test files that `tests_from` has no more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ran to its end or to its time limit."""

    exit_code: int
    seconds: float
    timed_out: bool
    printed: Printed


async def check_out(guest: Guest, tree: Tree) -> None:
    """Fetch the tree through the broker and check it out into the workspace. Raises SandboxError."""
    url = f"http://127.0.0.1:{BROKER_PORT}/git/repository.git"
    others = [tree.tests_from] if tree.tests_from else []
    await _git(guest, ["sh", "-c", _CHECK_OUT, "sh", url, tree.commit, *others])
    await remove(guest, [*tree.laid_over, *tree.removed])
    if tree.laid_over and tree.tests_from:
        await _git(guest, ["sh", "-c", _LAY_OVER, "sh", tree.tests_from], stdin=_nul_ended(tree.laid_over))


async def remove(guest: Guest, paths: Sequence[str]) -> None:
    """Delete paths below the workspace. No error for those that do not exist."""
    if paths:
        await _git(guest, ["xargs", "-0", "rm", "-rf", "--"], stdin=_nul_ended(paths))


async def run_command(
    guest: Guest,
    command: str,
    env: Mapping[str, str],
    *,
    timeout_seconds: float,
    clock: Clock,
    spare: Sequence[str] = (),
) -> Ended:
    """Run a shell command in the workspace, stdout and stderr as one. Beyond its time it is killed with all that it
    started; services go on, and what runs in one of the roles `spare`. Raises SandboxLost."""
    printed = Printed()
    shell = Shell(command, env, timeout_seconds, tuple(spare))
    end = await run_shell(guest, shell, printed.add, clock)
    return Ended(end.exit_code, end.seconds, end.timed_out, printed)


async def _git(guest: Guest, argv: Sequence[str], *, stdin: bytes = b"") -> None:
    spec = ExecSpec(argv=argv, cwd=WORKSPACE)
    result = await guest.run(spec, stdin=stdin, timeout_seconds=CHECKOUT_SECONDS, output_limit=64 << 10)
    if result.exit_code != 0 or result.timed_out:
        said = result.output.decode(errors="replace").strip()[-500:]
        raise SandboxError(f"The commit could not be checked out in a clean sandbox: {said or 'it took too long'}")


def _nul_ended(paths: Sequence[str]) -> bytes:
    return b"".join(path.encode(errors="surrogateescape") + b"\0" for path in paths)
