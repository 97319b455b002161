"""The checkout in a guest's workspace, as far as we touch it: looked at, cloned, brought to a commit.

All of it runs in the guest as its user, and only until the workspace was once made ready: from then on the agent has
its way with it. What the guest answers is not trusted for more than a sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.model.errors import RepositoryError, SandboxError
from outrider.model.ids import CommitId
from outrider.model.sandbox import BROKER_PORT, GUEST_HOME, SYNC_ROLE, WORKSPACE
from outrider.ports.sandbox import ExecResult, ExecSpec, Guest

REPOSITORY_URL = f"http://127.0.0.1:{BROKER_PORT}/git/repository.git"
CLONE_SECONDS = 900.0
"""A repository of 1 GB takes some 30 s over the loopback; more is a hang."""

READY = f"{GUEST_HOME}/.outrider/ready"
"""Stands where the workspace was once made ready; what it holds is the agent's from then on."""

IN_THE_WAY = f"{GUEST_HOME}/.outrider/in-the-way"
"""Copies of files of the image that stood where the session's commit has others."""

_COMMIT_MISSING = 3
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_LOOK = """cd "$1" 2>/dev/null || exit 0
test ! -e "$2" || echo ready
git rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null || true
"""

# What an earlier try left that was cut off, locks and all, is in the way; nobody has worked in it yet.
_CLONE = """set -eu
url=$1 branch=$2 commit=$3
find . -mindepth 1 -maxdepth 1 -exec rm -rf {} +
git init -q
git remote add origin "$url"
git -c http.proxy= fetch -q origin '+refs/heads/*:refs/remotes/origin/*' '^refs/heads/outrider/*'
git cat-file -e "$commit^{commit}" 2>/dev/null || git -c http.proxy= fetch -q origin "refs/heads/$branch"
git cat-file -e "$commit^{commit}" 2>/dev/null || exit 3
git -c core.hooksPath=/dev/null checkout -q --force -B "$branch" "$commit"
"""

# A checkout that refuses says that files differ from what its own commit has: what setup wrote. They are copied aside.
# Most often the checkout of a warm sandbox is on the commit already: then only the branch gets its name.
_MOVE = """set -eu
url=$1 branch=$2 commit=$3 base=$4 aside=$5 ready=$6 mark=$7 behind=$8
head=$(git rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null || true)
echo "$head"
if [ -e "$ready" ] && [ "$head" != "$behind" ]; then echo ready; exit 0; fi
if [ "$head" = "$commit" ]; then
  rm -f .git/*.lock ".git/refs/heads/$branch.lock"
  git update-ref "refs/heads/$branch" "$commit"
  git symbolic-ref HEAD "refs/heads/$branch"
  git remote set-url origin "$url" 2>/dev/null || git remote add origin "$url"
  if [ -n "$mark" ]; then mkdir -p "${ready%/*}"; : >"$ready"; echo marked; fi
  exit 0
fi
export GIT_TERMINAL_PROMPT=0
has() { git cat-file -e "$commit^{commit}" 2>/dev/null; }
get() { git -c http.proxy= fetch -q --no-tags origin "$@"; }
find .git -name '*.lock' -type f -delete
git remote set-url origin "$url" 2>/dev/null || git remote add origin "$url"
has || get "+refs/heads/$base:refs/remotes/origin/$base" || true
has || get '+refs/heads/*:refs/remotes/origin/*' '^refs/heads/outrider/*'
has || get "refs/heads/$branch" || true
has || exit 3
if [ -e "$ready" ] && ! git merge-base --is-ancestor HEAD "$commit"; then echo ready; exit 0; fi
move() { git -c core.hooksPath=/dev/null checkout -q --no-recurse-submodules "$@" -B "$branch" "$commit"; }
if ! move 2>/dev/null; then
  list=$(mktemp)
  git diff --name-only -z --diff-filter=AMT HEAD >"$list"
  git diff --name-only -z --diff-filter=A HEAD "$commit" | xargs -0 -r sh -c '
    for path; do
      place=$path
      while [ ! -e "$place" ] && [ ! -L "$place" ] && [ "$place" != . ]; do place=$(dirname -- "$place"); done
      if [ "$place" = "$path" ] || [ ! -d "$place" ]; then printf "%s\\0" "$place"; fi
    done' sh >>"$list"
  mkdir -p "$aside"
  tar -c --null -T "$list" | tar -x -C "$aside"
  echo "$(tr -cd "\\\\0" <"$list" | wc -c) in the way"
  move --force
fi
git branch -q --unset-upstream 2>/dev/null || true
"""

_MARK = 'mkdir -p "$(dirname "$1")" && touch "$1"'


@dataclass(frozen=True, slots=True)
class Target:
    """Where a checkout is to be brought."""

    branch: str
    commit: CommitId
    base: str
    """The branch of the forge on which the commit is looked for first."""
    complete: bool
    """Whether nothing is left to do in a workspace that stands on the commit already."""
    behind: CommitId | None = None
    """Where a workspace stands that was made ready and may lack what was pushed since; any other is the agent's, and so
    is one with commits that were not pushed."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of it."""

    ready: bool
    """Whether it was once made ready and is not behind: nothing was touched then."""
    before: CommitId | None
    in_the_way: int
    """Files of the image that stood in the way and are kept in `IN_THE_WAY`."""
    marked: bool
    """Whether it counts as made ready now."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a workspace is on."""

    ready: bool
    head: CommitId | None
    """None where there is no whole checkout."""


async def look(guest: Guest) -> Standing:
    """What the workspace stands on. Raises SandboxError."""
    lines = _lines(await _run(guest, _LOOK, [WORKSPACE, READY], 60))
    return Standing(ready="ready" in lines, head=_head(lines))


async def clone(guest: Guest, branch: str, commit: CommitId) -> None:
    """A fresh clone, on the session's branch at this commit. Raises RepositoryError where the commit is nowhere,
    SandboxError."""
    result = await _run(guest, _CLONE, [REPOSITORY_URL, branch, commit], CLONE_SECONDS)
    _expect(result, commit, "The repository could not be cloned into the sandbox")


async def move(guest: Guest, target: Target, seconds: float) -> Moved:
    """Bring a checkout that was never ready, or that is behind, to a commit, fetched where it is not there. Raises
    RepositoryError where the commit is nowhere, SandboxError."""
    mark = "mark" if target.complete else ""
    arguments = [
        REPOSITORY_URL,
        target.branch,
        target.commit,
        target.base,
        IN_THE_WAY,
        READY,
        mark,
        target.behind or "",
    ]
    result = await _run(guest, _MOVE, arguments, seconds)
    _expect(result, target.commit, "The workspace could not be brought to the branch's commit")
    lines = _lines(result)
    counts = [line.removesuffix(" in the way") for line in lines if line.endswith(" in the way")]
    in_the_way = int(counts[0]) if counts and counts[0].isdecimal() and len(counts[0]) < 10 else 0
    return Moved("ready" in lines, _head(lines), in_the_way, "marked" in lines)


async def mark_ready(guest: Guest) -> None:
    """From here on what the workspace holds is the agent's. Raises SandboxError."""
    result = await _run(guest, _MARK, [READY], 60)
    if result.exit_code != 0:
        raise SandboxError(f"The workspace could not be made ready: {_said(result)}")


def _lines(result: ExecResult) -> list[str]:
    return result.output.decode(errors="replace").split("\n")


def _head(lines: Sequence[str]) -> CommitId | None:
    return next((CommitId(line) for line in lines if _COMMIT.fullmatch(line)), None)


def _expect(result: ExecResult, commit: CommitId, failure: str) -> None:
    if result.timed_out:
        raise SandboxError(f"{failure}: it took too long.", "Prompt again to have it tried again.")
    if result.exit_code == _COMMIT_MISSING:
        raise RepositoryError(
            f"The repository does not have the commit {commit[:12]}.",
            "Its branch was deleted or rewritten: start a new session, or push the commit and prompt again.",
        )
    if result.exit_code != 0:
        raise SandboxError(f"{failure}: {_said(result)}", "Prompt again to have it tried again.")


def _said(result: ExecResult) -> str:
    return result.output.decode(errors="replace").strip()[-1000:] or f"exit code {result.exit_code}"


async def _run(guest: Guest, script: str, arguments: Sequence[str], seconds: float) -> ExecResult:
    spec = ExecSpec(argv=["sh", "-c", script, "sh", *arguments], cwd=WORKSPACE, env={"OUTRIDER_ROLE": SYNC_ROLE})
    return await guest.run(spec, timeout_seconds=seconds)
