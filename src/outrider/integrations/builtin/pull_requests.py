"""Pull requests of the built-in forge: rows in the catalog, and merges in the bare repository without a work tree."""

from collections.abc import Callable
from dataclasses import dataclass

from outrider.integrations.builtin.branches import NUMBERED, OURS, read_branches
from outrider.integrations.builtin.git import Git, GitFailed
from outrider.integrations.builtin.history import is_ancestor, merge_base, read_commits, read_diff, read_files
from outrider.model.errors import NotFound, Refused, RepositoryError
from outrider.model.ids import CommitId
from outrider.model.person import Person
from outrider.model.repository import PullRequest, PullRequestDraft, PullRequestState
from outrider.model.review import MAX_DIFF_BYTES, PullRequestPage
from outrider.ports.clock import Clock
from outrider.ports.forge_catalog import ForgeCatalog

_SHOWN_CONFLICTS = 5


@dataclass(frozen=True, slots=True)
class PullRequests:
    """Opens, shows, merges and closes. `url` makes the address of a page from repository and number."""

    catalog: ForgeCatalog
    clock: Clock
    url: Callable[[str, int], str]

    async def get(self, repository: str, number: int) -> PullRequest:
        """One pull request. Raises NotFound."""
        found = await self.catalog.pull_request(repository, number)
        if found is None:
            raise NotFound(f"There is no pull request {number} in {repository}.")
        return self.addressed(found)

    def addressed(self, pull_request: PullRequest) -> PullRequest:
        """With the address as it is now: the server may answer elsewhere than when it was opened."""
        return pull_request.model_copy(update={"url": self.url(pull_request.repository, pull_request.number)})

    async def open(self, git: Git, repository: str, draft: PullRequestDraft) -> PullRequest:
        """The pull request of the head branch, brought up to date, or a new one where there is none or the branch went
        on after it was merged or closed. Raises RepositoryError."""
        branches = await read_branches(git, OURS)
        base, head = _tip(branches, draft.base_branch), _tip(branches, draft.head_branch)
        ends = {"base_commit": await merge_base(git, base, head), "head_commit": head}
        known = await self.catalog.pull_request_of(repository, draft.head_branch)
        if known is not None and known.state is PullRequestState.OPEN:
            known = known.model_copy(update=ends)
            await self.catalog.put_pull_request(known)
        elif known is None or known.head_commit != head:
            known = await self._add(git, repository, draft, ends)
        return self.addressed(known)

    async def page(self, git: Git, pull_request: PullRequest) -> PullRequestPage:
        """All that a reviewer looks at."""
        base, head = pull_request.base_commit, pull_request.head_commit
        mergeable = None
        if pull_request.state is PullRequestState.OPEN:
            target = (await read_branches(git, OURS)).get(pull_request.base_branch)
            base = base if target is None else await merge_base(git, target, head)
            mergeable = target is not None and not (await _try_merge(git, target, head)).conflicts
        diff, diff_truncated = await read_diff(git, base, head, limit_bytes=MAX_DIFF_BYTES)
        return PullRequestPage(
            pull_request=pull_request,
            commits=await read_commits(git, base, head),
            files=await read_files(git, base, head),
            diff=diff,
            diff_truncated=diff_truncated,
            proof=await self.catalog.proof(pull_request.repository, pull_request.number, head),
            mergeable=mergeable,
        )

    async def merge(self, git: Git, pull_request: PullRequest, by: Person) -> PullRequest:
        """Merge by a merge commit of the person. Raises Refused. Killed in the middle, it can be repeated."""
        _expect_open(pull_request)
        target = (await read_branches(git, OURS)).get(pull_request.base_branch)
        if target is None:
            raise Refused(f"The branch {pull_request.base_branch} does not exist any more.")
        if not await is_ancestor(git, pull_request.head_commit, target):
            merged = await self._merge_commit(git, pull_request, target, by)
            await _advance(git, pull_request.base_branch, target, merged)
        return await self._end(pull_request, PullRequestState.MERGED)

    async def close(self, pull_request: PullRequest) -> PullRequest:
        """Close without merging. Raises Refused."""
        _expect_open(pull_request)
        return await self._end(pull_request, PullRequestState.CLOSED)

    async def _add(self, git: Git, repository: str, draft: PullRequestDraft, ends: dict[str, CommitId]) -> PullRequest:
        opened_at = self.clock.now()

        def build(number: int) -> PullRequest:
            return PullRequest(
                **draft.model_dump(),
                **ends,
                repository=repository,
                number=number,
                url=self.url(repository, number),
                state=PullRequestState.OPEN,
                opened_at=opened_at,
            )

        numbers = [int(name) for name in await read_branches(git, NUMBERED) if name.isdecimal()]
        added = await self.catalog.add_pull_request(repository, build, above=max(numbers, default=0))
        await git.run("update-ref", f"{NUMBERED}{added.number}", added.head_commit)
        return added

    async def _end(self, pull_request: PullRequest, state: PullRequestState) -> PullRequest:
        ended = pull_request.model_copy(update={"state": state})
        await self.catalog.put_pull_request(ended)
        return ended

    async def _merge_commit(self, git: Git, pull_request: PullRequest, target: CommitId, by: Person) -> CommitId:
        attempt = await _try_merge(git, target, pull_request.head_commit)
        if attempt.conflicts:
            raise Refused(
                f"{pull_request.base_branch} and {pull_request.head_branch} both changed {_listed(attempt.conflicts)}.",
                f"Ask the session to merge {pull_request.base_branch} into its branch.",
            )
        message = f"Merge pull request #{pull_request.number}: {pull_request.title}\n\n{pull_request.head_branch}\n"
        parents = ("-p", target, "-p", pull_request.head_commit)
        author = _as_author(git, by, int(self.clock.now().timestamp()))
        outcome = await author.whole("commit-tree", *parents, "-F", "-", attempt.tree, stdin=message.encode())
        return CommitId(outcome.text())


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A merge that was tried: the tree that it makes, and the paths where both sides changed the same."""

    tree: str
    conflicts: tuple[str, ...]


async def _try_merge(git: Git, target: CommitId, head: CommitId) -> _Attempt:
    arguments = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", target, head)
    outcome = await git.run(*arguments, ok=(0, 1))
    tree, *conflicts = outcome.fields()
    return _Attempt(tree, tuple(conflicts) if outcome.exit_code else ())


async def _advance(git: Git, branch: str, before: CommitId, after: CommitId) -> None:
    try:
        await git.run("update-ref", OURS + branch, after, before)
    except GitFailed as failed:
        raise Refused(f"{branch} moved in this moment.", "Try again.") from failed


def _as_author(git: Git, person: Person, seconds: int) -> Git:
    who: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        who |= {
            f"GIT_{role}_NAME": person.name,
            f"GIT_{role}_EMAIL": person.email,
            f"GIT_{role}_DATE": f"@{seconds} +0000",
        }
    return Git(git.folder, {**git.environment, **who})


def _tip(branches: dict[str, CommitId], branch: str) -> CommitId:
    if branch not in branches:
        raise RepositoryError(f"There is no branch {branch}.")
    return branches[branch]


def _expect_open(pull_request: PullRequest) -> None:
    if pull_request.state is not PullRequestState.OPEN:
        raise Refused(f"Pull request {pull_request.number} is already {pull_request.state}.")


def _listed(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:_SHOWN_CONFLICTS]) + (", …" if len(paths) > _SHOWN_CONFLICTS else "")
