"""What becomes of our branches when the repository that they were imported from has moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from outrider.integrations.builtin.git import Git
from outrider.integrations.builtin.history import is_ancestor
from outrider.model.ids import CommitId

UPSTREAM = "refs/outrider/upstream/"
"""Where the branches of the source are kept as they were last seen."""
NUMBERED = "refs/outrider/pulls/"
"""A ref for each number that a pull request had: a catalog that is older than the repository gives none twice."""
OURS = "refs/heads/"
WORK_PREFIX = "outrider/"
"""Branches below this are the sessions'; an import never touches them."""

Branches = Mapping[str, CommitId]
_NONE = CommitId("0" * 40)


class Fate(Enum):
    """What to do with one branch."""

    KEEP = "keep"
    TAKE = "take"
    DROP = "drop"
    ASK_HISTORY = "ask history"


@dataclass(frozen=True, slots=True)
class Move:
    """A branch that gets another commit, or none."""

    branch: str
    before: CommitId | None
    after: CommitId | None


def decide(ours: CommitId | None, before: CommitId | None, after: CommitId | None) -> Fate:
    """The fate of a branch: where we have it, where the source had it when last seen, where it has it now."""
    if ours == after:
        return Fate.KEEP
    if ours is None:
        return Fate.TAKE
    if ours == before:  # nothing was merged here: follow the source, even where it was rewritten
        return Fate.DROP if after is None else Fate.TAKE
    return Fate.KEEP if after is None else Fate.ASK_HISTORY


async def read_branches(git: Git, prefix: str) -> dict[str, CommitId]:
    """The branches below a prefix of refs, by their short names."""
    return below(await read_refs(git, prefix), prefix)


async def read_refs(git: Git, *prefixes: str) -> Branches:
    """The refs below some prefixes, by their whole names."""
    listed = await git.text("for-each-ref", "--format=%(objectname) %(refname)", *prefixes)
    rows = (line.split(" ", 1) for line in listed.splitlines())
    return {name: CommitId(commit) for commit, name in rows}


def below(refs: Branches, prefix: str) -> dict[str, CommitId]:
    """Those below one prefix, by their short names."""
    return {name.removeprefix(prefix): commit for name, commit in refs.items() if name.startswith(prefix)}


async def reconcile(git: Git, before: Branches) -> list[str]:
    """Bring our branches to where the source has them now, given where it had them `before`. A branch into which
    something was merged here moves by fast-forward only; those that cannot are returned by name."""
    ours, after = await read_branches(git, OURS), await read_branches(git, UPSTREAM)
    moves: list[Move] = []
    parted: list[str] = []
    for branch in sorted({*before, *after}):
        if branch.startswith(WORK_PREFIX):
            continue
        fate = decide(ours.get(branch), before.get(branch), after.get(branch))
        if fate is Fate.ASK_HISTORY:
            fate = await _by_history(git, ours[branch], after[branch])
        if fate in (Fate.TAKE, Fate.DROP):
            moves.append(Move(branch, ours.get(branch), after.get(branch)))
        elif fate is Fate.ASK_HISTORY:
            parted.append(branch)
    await _apply(git, moves)
    return parted


async def _by_history(git: Git, ours: CommitId, after: CommitId) -> Fate:
    if await is_ancestor(git, ours, after):
        return Fate.TAKE
    return Fate.KEEP if await is_ancestor(git, after, ours) else Fate.ASK_HISTORY


async def _apply(git: Git, moves: list[Move]) -> None:
    """All or none, and only from where we saw them: a merge at the same time is not undone."""
    lines = [f"update {OURS}{move.branch}\0{move.after or _NONE}\0{move.before or _NONE}\0" for move in moves]
    if lines:
        await git.run("update-ref", "-z", "--stdin", stdin="".join(lines).encode())
