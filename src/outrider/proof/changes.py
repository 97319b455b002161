"""What a change does to tests and to the files that say how tests run."""

from dataclasses import dataclass

from outrider.model.errors import LimitReached
from outrider.model.ids import CommitId, SessionId
from outrider.model.proof import Phase
from outrider.ports.quarantine import Quarantine
from outrider.proof.clean_run import Tree
from outrider.proof.detect import FILE_BYTES_LIMIT
from outrider.proof.globs import Globs
from outrider.proof.marked import COMPARED_FILES, MARKED_LIMIT, is_marked, runs_differently
from outrider.proof.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed test files, and the changed files that are marked."""

    tests_laid_over: tuple[str, ...] = ()
    tests_removed: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()

    def trees(self, base: CommitId, head: CommitId) -> dict[Phase, Tree]:
        """What each phase runs on, the one that people wait for first. Without changed test files there is no
        `before`: its tree is that of `base`."""
        trees = {Phase.AFTER: Tree(head)}
        if self.tests_laid_over or self.tests_removed:
            trees[Phase.BEFORE] = Tree(base, head, self.tests_laid_over, self.tests_removed)
        return {**trees, Phase.BASE: Tree(base)}


async def read_changes(
    quarantine: Quarantine, session: SessionId, base: CommitId, head: CommitId, recipe: Recipe
) -> Changes:
    """Compare two commits in the quarantine. Raises LimitReached."""
    changed = await quarantine.changed_paths(session, base, head)
    in_head = frozenset(await quarantine.list_files(session, head))
    globs = Globs(recipe.tests)
    tests = sorted(path for path in changed if globs.match(path))
    marked = [path for path in sorted(changed) if is_marked(path, recipe)]
    compared = [path for path in sorted(changed) if path.rpartition("/")[2] in COMPARED_FILES and path not in marked]
    for path in compared[: max(0, MARKED_LIMIT - len(marked))]:
        if await _runs_differently(quarantine, session, (base, head), path):
            marked.append(path)
    return Changes(
        tests_laid_over=tuple(path for path in tests if path in in_head),
        tests_removed=tuple(path for path in tests if path not in in_head),
        marked=tuple(sorted(marked)[:MARKED_LIMIT]),
    )


async def _runs_differently(
    quarantine: Quarantine, session: SessionId, commits: tuple[CommitId, CommitId], path: str
) -> bool:
    """Whether the part of a manifest that runs tests differs. One that is too large to read does."""
    try:
        base, head = [
            await quarantine.read_file(session, commit, path, limit_bytes=FILE_BYTES_LIMIT) for commit in commits
        ]
    except LimitReached:
        return True
    return runs_differently(path.rpartition("/")[2], base, head)
