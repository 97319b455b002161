"""Recipes are read once a commit."""

from pathlib import Path

from outrider.model.ids import CommitId, SessionId
from outrider.model.repository import Repository
from outrider.proof.recipes import Recipes
from outrider.testing.git_folder import GitFolder

DEMO = Repository(forge="builtin", name="demo", source="/demo", default_branch="main")


class Counted(GitFolder):
    """Counts the files that are read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[CommitId] = []

    async def open(self, session: SessionId, mirror: Path, base: CommitId) -> None:
        """There is one repository."""

    async def read_file(self, session: SessionId, commit: CommitId, path: str, *, limit_bytes: int) -> bytes | None:
        self.read.append(commit)
        return await super().read_file(session, commit, path, limit_bytes=limit_bytes)


async def test_a_commit_is_read_once_and_each_by_itself(tmp_path: Path) -> None:
    git = Counted(tmp_path / "q.git")
    one = await git.commit({"outrider.toml": "setup = ['make']\n"})
    two = await git.commit({"outrider.toml": "setup = ['make all']\n"}, one)
    recipes = Recipes(git)
    told = [await recipes.read(DEMO, tmp_path, commit) for commit in (one, two, one, two)]
    assert [recipe.setup for recipe in told] == [("make",), ("make all",)] * 2
    assert git.read == [one, two]


async def test_what_was_asked_for_longest_ago_is_forgotten(tmp_path: Path) -> None:
    git = Counted(tmp_path / "q.git")
    commit = await git.commit({"outrider.toml": ""})
    recipes = Recipes(git, kept=2)
    for number in range(3):
        await recipes.read(DEMO, tmp_path / str(number), commit)
    await recipes.read(DEMO, tmp_path / "2", commit)
    assert len(git.read) == 3
    await recipes.read(DEMO, tmp_path / "0", commit)
    assert len(git.read) == 4
