"""The built-in forge: a bare repository for each source, and pull requests in the catalog. It needs no account."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from outrider.integrations.builtin.branches import OURS, read_branches
from outrider.integrations.builtin.git import Git, GitFailed
from outrider.integrations.builtin.importing import Importer, trusting
from outrider.integrations.builtin.mirrors import FORGE, Mirrors
from outrider.integrations.builtin.pull_requests import PullRequests
from outrider.model.errors import OutriderError, RepositoryError
from outrider.model.ids import CommitId, SessionId
from outrider.model.person import Person
from outrider.model.proof import Proof
from outrider.model.repository import PullRequest, PullRequestDraft, Repository
from outrider.model.review import PullRequestPage
from outrider.ports.clock import Clock
from outrider.ports.forge import ForgeListener, Progress, PushListener
from outrider.ports.forge_catalog import ForgeCatalog

_LOG = logging.getLogger(__name__)
_SHOWN_BRANCHES = 20
_PUSHABLE = re.compile(r"outrider/[a-z][a-z0-9]*-[a-z2-7]{4,32}/[A-Za-z0-9._/+@#-]+")


class BuiltinForge:
    """Implements `outrider.ports.forge.Forge`. `listener` is told when a pull request of a session ends,
    `push_listener` when something was merged."""

    name = FORGE

    def __init__(
        self,
        folder: Path,
        catalog: ForgeCatalog,
        clock: Clock,
        *,
        public_base: Callable[[], str],
        operator_environment: Mapping[str, str] | None = None,
    ) -> None:
        self.listener: ForgeListener | None = None
        self.push_listener: PushListener | None = None
        self._catalog = catalog
        self._mirrors = Mirrors(folder, catalog, Importer(operator_environment or {}))
        self._pulls = PullRequests(catalog, clock, lambda name, number: f"{public_base()}/pulls/{name}/{number}")

    async def find(self, source: str, progress: Progress) -> Repository:
        """The repository that a person named by path, URL or name, as `Forge.find`."""
        return await self._mirrors.find(source, progress)

    async def head(self, repository: Repository, branch: str | None) -> tuple[str, CommitId]:
        """A branch (the default one for None) and its commit. Raises RepositoryError, naming the branches there are."""
        wanted = branch or repository.default_branch
        branches = await read_branches(self._mirrors.git(repository.name), OURS)
        if wanted not in branches:
            names = [name for name in branches if not name.startswith("outrider/")]
            more = ", …" if len(names) > _SHOWN_BRANCHES else ""
            raise RepositoryError(
                f"{repository.name} has no branch {wanted}.",
                f"There are: {', '.join(names[:_SHOWN_BRANCHES])}{more}.",
            )
        return wanted, branches[wanted]

    def mirror(self, repository: Repository) -> Path:
        """The bare repository."""
        return self._mirrors.path(repository.name)

    async def push(self, repository: Repository, quarantine: Path, commit: CommitId, branch: str) -> None:
        """Push a commit from a quarantine to a session's branch, as `Forge.push`."""
        if not _PUSHABLE.fullmatch(branch):
            raise RepositoryError(f"{branch} is not a branch of a session: only outrider/SESSION/… may be pushed to.")
        mirror = self._mirrors.path(repository.name)
        async with self._mirrors.changing(repository.name):
            if (await read_branches(Git(mirror), OURS)).get(branch) == commit:
                return
            with trusting(mirror, quarantine) as environment:
                await _push(Git(quarantine, environment, seconds=600), mirror, commit, branch)

    async def open_pull_request(self, repository: Repository, draft: PullRequestDraft) -> PullRequest:
        """The pull request of the head branch, as `Forge.open_pull_request`."""
        async with self._mirrors.changing(repository.name):
            return await self._pulls.open(self._mirrors.git(repository.name), repository.name, draft)

    async def show_proof(self, pull_request: PullRequest, proof: Proof) -> None:
        """Keep the evidence; the page of the pull request shows that of its head."""
        await self._catalog.put_proof(pull_request.repository, pull_request.number, proof)

    async def pull_requests(self, repository: str | None = None) -> Sequence[PullRequest]:
        """Newest first."""
        return [self._pulls.addressed(one) for one in await self._catalog.pull_requests(repository)]

    async def page(self, repository: str, number: int) -> PullRequestPage:
        """One pull request with all that a reviewer looks at. Raises NotFound."""
        pull_request = await self._pulls.get(repository, number)
        return await self._pulls.page(self._mirrors.git(repository), pull_request)

    async def repositories(self) -> Sequence[Repository]:
        """The repositories that the forge knows, by name."""
        return await self._catalog.repositories()

    async def merge(self, repository: str, number: int, by: Person) -> PullRequest:
        """Merge an open pull request. Raises Refused with the reason (conflict, closed)."""
        async with self._mirrors.changing(repository):
            pull_request = await self._pulls.get(repository, number)
            merged = await self._pulls.merge(self._mirrors.git(repository), pull_request, by)
        await self._tell(merged, by)
        if self.push_listener is not None:
            await self.push_listener.pushed(repository, merged.base_branch)
        return merged

    async def close(self, repository: str, number: int, by: Person) -> PullRequest:
        """Close an open pull request without merging. Raises Refused where it is not open."""
        async with self._mirrors.changing(repository):
            closed = await self._pulls.close(await self._pulls.get(repository, number))
        await self._tell(closed, by)
        return closed

    async def _tell(self, pull_request: PullRequest, by: Person) -> None:
        """Tell the session. It is done by now, so what goes wrong in the telling is no failure of the request."""
        if self.listener is None or pull_request.session is None:
            return
        try:
            await self.listener.pull_request_changed(SessionId(pull_request.session), pull_request, by)
        except OutriderError:
            _LOG.exception("session %s could not be told of its pull request", pull_request.session)


async def _push(git: Git, mirror: Path, commit: CommitId, branch: str) -> None:
    try:
        await git.run("push", "--quiet", "--no-verify", "--", str(mirror), f"{commit}:{OURS}{branch}")
    except GitFailed as failed:
        if "non-fast-forward" in failed.said or "fetch first" in failed.said:
            raise RepositoryError(
                f"{branch} has commits that this work does not contain, and nothing is pushed over them.",
                "Ask the session to merge that branch first.",
            ) from failed
        raise RepositoryError(f"{branch} could not be pushed: {failed.reason()}.") from failed
