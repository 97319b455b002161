"""Which files of a person's work tree are not committed, and so are left out.

The work tree may belong to somebody else, and its configuration can name programs that git would run. So git never runs
in that repository: it compares the files by a copy of the index, in our own bare repository, with no configuration.
"""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from outrider.integrations.builtin.git import Git
from outrider.model.ids import CommitId

_SECONDS = 20
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class WorkTree:
    """A work tree and its own git folder (for a linked work tree not `top/.git`)."""

    top: Path
    git_folder: Path


async def list_uncommitted(mirror: Git, tree: WorkTree, head: CommitId) -> tuple[str, ...]:
    """Paths that differ from the commit, and new ones that nothing ignores. Raises GitFailed, LimitReached, OSError."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index"
        shutil.copy2(tree.git_folder / "index", index)  # with its time: git compares it with those of the files
        environment = {**mirror.environment, "GIT_WORK_TREE": str(tree.top), "GIT_INDEX_FILE": str(index)}
        git = replace(mirror, environment=environment, seconds=_SECONDS)
        await git.run("update-index", "-q", "--refresh", "--ignore-submodules", ok=(0, 1))
        changed = await git.whole("diff-index", "--name-only", "-z", "--ignore-submodules", head, "--")
        new = await git.whole("ls-files", "-z", "--others", "--exclude-standard", *_own_excludes(tree))
    return tuple(changed.fields() + new.fields())


def describe_uncommitted(paths: tuple[str, ...]) -> str:
    """One sentence for people."""
    shown = ", ".join(paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
    if len(paths) == 1:
        return f"1 file has uncommitted changes and is left out: {shown}"
    return f"{len(paths)} files have uncommitted changes and are left out: {shown}"


def _own_excludes(tree: WorkTree) -> list[str]:
    excludes = tree.git_folder / "info" / "exclude"
    return [f"--exclude-from={excludes}"] if excludes.is_file() else []
