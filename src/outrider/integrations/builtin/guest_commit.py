"""Asking and committing in the workspace: git runs in the guest, as its user. What it answers is only a hint."""

from outrider.model.errors import RepositoryError
from outrider.model.person import Person
from outrider.ports.sandbox import ExecResult, ExecSpec, Guest

_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-c", "commit.gpgsign=false")
_SECONDS = 120
_MAX_PATHS = 100
_MAX_PATH = 500
_STATUS_PREFIX = 3


async def list_dirty(guest: Guest, workspace: str) -> tuple[str, ...]:
    """Paths that are not committed, 100 at most. Raises RepositoryError where git does not say."""
    status = ("--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames")
    result = await _run(guest, workspace, *status)
    if result.exit_code != 0:
        raise RepositoryError("What is uncommitted in the workspace cannot be told: git was cut off or failed there.")
    entries = result.output.decode(errors="replace").split("\0")
    paths = [entry[_STATUS_PREFIX:] for entry in entries if len(entry) > _STATUS_PREFIX]
    return tuple("".join(letter for letter in path if letter.isprintable())[:_MAX_PATH] for path in paths[:_MAX_PATHS])


async def commit_all(guest: Guest, workspace: str, author: Person, message: str) -> bool:
    """Commit what is not committed and not ignored. Whether there was anything. Raises RepositoryError."""
    added = await _run(guest, workspace, "add", "--all")
    if added.exit_code != 0 and b"index.lock" in added.output:  # left by a git that was killed with the turn
        await guest.run(ExecSpec(("rm", "-f", ".git/index.lock"), cwd=workspace))
        added = await _run(guest, workspace, "add", "--all")
    _expect_success(added)
    if (await _run(guest, workspace, "diff", "--cached", "--quiet")).exit_code == 0:
        return False
    _expect_success(
        await guest.run(
            ExecSpec((*_GIT, "commit", "--quiet", "--no-verify", "-F", "-"), cwd=workspace, env=_as_author(author)),
            stdin=message.encode(),
            timeout_seconds=_SECONDS,
        )
    )
    return True


async def _run(guest: Guest, workspace: str, *arguments: str) -> ExecResult:
    return await guest.run(ExecSpec((*_GIT, *arguments), cwd=workspace), timeout_seconds=_SECONDS)


def _expect_success(result: ExecResult) -> None:
    if result.exit_code == 0 and not result.timed_out:
        return
    lines = result.output.decode(errors="replace").strip().splitlines() or ["it did not say why"]
    reason = "".join(letter for letter in lines[-1] if letter.isprintable())[:_MAX_PATH].rstrip(".")
    raise RepositoryError(f"What the session left uncommitted could not be committed: {reason}.")


def _as_author(person: Person) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": person.name,
        "GIT_AUTHOR_EMAIL": person.email,
        "GIT_COMMITTER_NAME": person.name,
        "GIT_COMMITTER_EMAIL": person.email,
    }
