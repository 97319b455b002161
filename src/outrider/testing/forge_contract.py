"""What every forge has to do. Subclass the contract in a test file and give it the forge to test."""

from pathlib import Path

import pytest

from outrider.model.errors import NotFound, Refused, RepositoryError
from outrider.model.ids import CommitId, SessionId
from outrider.model.person import Person
from outrider.model.repository import PullRequest, PullRequestDraft, PullRequestState, Repository
from outrider.ports.forge import Forge
from outrider.testing.git_source import GitSource
from outrider.testing.store_contract import ADA, proof

BRANCH = "outrider/s-abcdefgh22/mend"


def silent(line: str) -> None:
    """A progress listener that does nothing."""


class RecordingListener:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, PullRequest, Person]] = []

    async def pull_request_changed(self, session: SessionId, pull_request: PullRequest, by: Person) -> None:
        """Remember."""
        self.told.append((session, pull_request, by))


def draft(branch: str = BRANCH, title: str = "Mend the sum") -> PullRequestDraft:
    """Ask for a pull request into main."""
    return PullRequestDraft(
        title=title, body="Why.", author=ADA, base_branch="main", head_branch=branch, session="s-abcdefgh22"
    )


class ForgeFixtures:
    """What both contracts start from. Give `forge`."""

    @pytest.fixture
    def listener(self) -> RecordingListener:
        """Who is told."""
        return RecordingListener()

    @pytest.fixture
    def forge(self, listener: RecordingListener) -> Forge:
        """The forge to test, which tells `listener`."""
        raise NotImplementedError

    @pytest.fixture
    def source(self, tmp_path: Path) -> GitSource:
        """What is imported."""
        return GitSource.create(tmp_path / "Demo Shop", {"sum.txt": "one\ntwo\nthree\n", "readme": "hello\n"})

    @pytest.fixture
    async def repository(self, forge: Forge, source: GitSource) -> Repository:
        """The imported repository."""
        return await forge.find(str(source.folder), silent)

    @pytest.fixture
    async def work(self, forge: Forge, repository: Repository, source: GitSource, tmp_path: Path) -> GitSource:
        """A clone with a commit that is pushed to the branch of a session."""
        source.git("clone", "--quiet", str(forge.mirror(repository)), str(tmp_path / "work"))
        work = GitSource(tmp_path / "work")
        await self.push(forge, repository, work, work.commit("Mend", {"sum.txt": "one\ntwo\n3\n"}))
        return work

    async def push(self, forge: Forge, repository: Repository, work: GitSource, commit: CommitId) -> None:
        """Push to the branch of the session."""
        await forge.push(repository, work.folder / ".git", commit, BRANCH)


class ForgeContract(ForgeFixtures):
    """For `outrider.ports.forge.Forge`: repositories and branches."""

    async def test_a_folder_becomes_a_repository_with_a_name(self, forge: Forge, source: GitSource) -> None:
        source.git("tag", "v1")
        repository = await forge.find(str(source.folder), silent)
        assert (repository.name, repository.default_branch) == ("demo-shop", "main")
        assert await forge.head(repository, None) == ("main", source.head())
        assert await forge.find("demo-shop", silent) == repository
        assert await forge.find(str(source.folder / "."), silent) == repository
        assert list(await forge.repositories()) == [repository]

    async def test_new_commits_of_the_source_are_there_after_the_next_find(
        self, forge: Forge, repository: Repository, source: GitSource
    ) -> None:
        newer = source.commit("More", {"more": "x"})
        source.git("branch", "feature/x")
        await forge.find(repository.name, silent)
        assert await forge.head(repository, "main") == ("main", newer)
        assert await forge.head(repository, "feature/x") == ("feature/x", newer)

    async def test_a_branch_that_does_not_exist_is_refused_with_those_that_do(
        self, forge: Forge, repository: Repository
    ) -> None:
        with pytest.raises(RepositoryError, match=r"no branch nope\. There are: main"):
            await forge.head(repository, "nope")

    async def test_a_pushed_branch_is_on_the_forge_and_pushing_it_again_is_done(
        self, forge: Forge, repository: Repository, work: GitSource
    ) -> None:
        await self.push(forge, repository, work, work.head())
        assert await forge.head(repository, BRANCH) == (BRANCH, work.head())
        further = work.commit("Further", {"x": "y"})
        await self.push(forge, repository, work, further)
        assert await forge.head(repository, BRANCH) == (BRANCH, further)

    @pytest.mark.parametrize("branch", ["main", "outrider/x", "outrider/s-abcdefgh22/../../main", "-f", "a b", ""])
    async def test_only_branches_of_sessions_are_pushed_to(
        self, forge: Forge, repository: Repository, work: GitSource, branch: str
    ) -> None:
        before = await forge.head(repository, "main")
        with pytest.raises(RepositoryError):
            await forge.push(repository, work.folder / ".git", work.head(), branch)
        assert await forge.head(repository, "main") == before

    async def test_nothing_is_pushed_over_other_commits(
        self, forge: Forge, repository: Repository, work: GitSource
    ) -> None:
        pushed = work.head()
        work.git("commit", "--quiet", "--amend", "-m", "Rewritten")
        with pytest.raises(RepositoryError, match="nothing is pushed over them"):
            await self.push(forge, repository, work, work.head())
        assert await forge.head(repository, BRANCH) == (BRANCH, pushed)


class PullRequestContract(ForgeFixtures):
    """For `outrider.ports.forge.Forge`: pull requests."""

    async def test_a_pull_request_is_opened_once_and_follows_its_branch(
        self, forge: Forge, repository: Repository, work: GitSource, source: GitSource
    ) -> None:
        opened = await forge.open_pull_request(repository, draft())
        assert (opened.number, opened.state, opened.author) == (1, PullRequestState.OPEN, ADA)
        assert (opened.base_commit, opened.head_commit) == (source.head(), work.head())
        await self.push(forge, repository, work, work.commit("Further", {"x": "y"}))
        again = await forge.open_pull_request(repository, draft(title="Another title"))
        assert (again.number, again.head_commit) == (1, work.head())
        assert list(await forge.pull_requests()) == [again]
        assert list(await forge.pull_requests("other")) == []

    async def test_a_pull_request_needs_its_branch(self, forge: Forge, repository: Repository) -> None:
        with pytest.raises(RepositoryError, match="no branch outrider/"):
            await forge.open_pull_request(repository, draft())

    async def test_the_page_shows_commits_files_diff_and_evidence(
        self, forge: Forge, repository: Repository, work: GitSource
    ) -> None:
        opened = await forge.open_pull_request(repository, draft())
        await forge.show_proof(opened, proof("f" * 40, "Of another head."))
        assert (await forge.page(repository.name, 1)).proof is None
        await forge.show_proof(opened, proof(work.head()))
        page = await forge.page(repository.name, 1)
        assert [commit.subject for commit in page.commits] == ["Mend"]
        assert [(file.path, file.added, file.deleted) for file in page.files] == [("sum.txt", 1, 1)]
        assert "-three\n+3\n" in page.diff
        assert not page.diff_truncated
        assert page.proof == proof(work.head())
        assert page.mergeable is True

    async def test_a_merge_is_a_commit_of_the_person_and_the_session_is_told(
        self, forge: Forge, repository: Repository, work: GitSource, listener: RecordingListener
    ) -> None:
        await forge.open_pull_request(repository, draft())
        merged = await forge.merge(repository.name, 1, ADA)
        assert merged.state is PullRequestState.MERGED
        assert listener.told == [("s-abcdefgh22", merged, ADA)]
        work.git("pull", "--quiet", "origin", "main")
        assert work.git("log", "-1", "--format=%an <%ae> %s") == (
            "Ada <ada@example.org> Merge pull request #1: Mend the sum"
        )
        assert (work.folder / "sum.txt").read_text() == "one\ntwo\n3\n"
        page = await forge.page(repository.name, 1)
        assert ("-three\n+3\n" in page.diff, page.mergeable) == (True, None)

    async def test_what_was_merged_survives_the_next_find(
        self, forge: Forge, repository: Repository, work: GitSource
    ) -> None:
        await forge.open_pull_request(repository, draft())
        await forge.merge(repository.name, 1, ADA)
        merged = await forge.head(repository, "main")
        await forge.find(repository.name, silent)
        assert await forge.head(repository, "main") == merged
        assert await forge.head(repository, BRANCH) == (BRANCH, work.head())

    async def test_a_conflict_is_refused_and_names_the_file(
        self, forge: Forge, repository: Repository, work: GitSource, source: GitSource
    ) -> None:
        await forge.open_pull_request(repository, draft())
        theirs = source.commit("Otherwise", {"sum.txt": "one\ntwo\nIII\n"})
        await forge.find(repository.name, silent)
        assert (await forge.page(repository.name, 1)).mergeable is False
        with pytest.raises(Refused, match=r"both changed sum\.txt"):
            await forge.merge(repository.name, 1, ADA)
        assert await forge.head(repository, "main") == ("main", theirs)
        assert (await forge.page(repository.name, 1)).pull_request.state is PullRequestState.OPEN

    async def test_what_is_merged_or_closed_is_neither_merged_nor_closed_again(
        self, forge: Forge, repository: Repository, work: GitSource, listener: RecordingListener
    ) -> None:
        await forge.open_pull_request(repository, draft())
        closed = await forge.close(repository.name, 1, ADA)
        assert closed.state is PullRequestState.CLOSED
        with pytest.raises(Refused, match="already closed"):
            await forge.merge(repository.name, 1, ADA)
        with pytest.raises(Refused, match="already closed"):
            await forge.close(repository.name, 1, ADA)
        assert len(listener.told) == 1

    async def test_a_branch_that_goes_on_after_its_merge_gets_a_new_pull_request(
        self, forge: Forge, repository: Repository, work: GitSource
    ) -> None:
        await forge.open_pull_request(repository, draft())
        merged = await forge.merge(repository.name, 1, ADA)
        assert await forge.open_pull_request(repository, draft()) == merged
        await self.push(forge, repository, work, work.commit("Further", {"x": "y"}))
        assert (await forge.open_pull_request(repository, draft())).number == 2
        assert [one.number for one in await forge.pull_requests(repository.name)] == [2, 1]

    async def test_a_pull_request_that_does_not_exist_is_not_found(self, forge: Forge, repository: Repository) -> None:
        with pytest.raises(NotFound):
            await forge.page(repository.name, 7)
        with pytest.raises(NotFound):
            await forge.merge("nowhere", 1, ADA)
