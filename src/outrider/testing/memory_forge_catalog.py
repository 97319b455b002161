"""The memory of the built-in forge, kept in dictionaries."""

from collections.abc import Callable

from outrider.model.errors import NotFound
from outrider.model.ids import CommitId
from outrider.model.proof import Proof
from outrider.model.repository import PullRequest, Repository


class MemoryForgeCatalog:
    """Implements `outrider.ports.forge_catalog.ForgeCatalog`."""

    def __init__(self) -> None:
        self._repositories: dict[str, Repository] = {}
        self._pulls: dict[tuple[str, int], PullRequest] = {}
        self._proofs: dict[tuple[str, int, str], Proof] = {}

    async def repositories(self) -> list[Repository]:
        """All, by name."""
        return sorted(self._repositories.values(), key=lambda one: one.name)

    async def repository(self, name: str) -> Repository | None:
        """The repository of that name."""
        return self._repositories.get(name)

    async def repository_of(self, source: str) -> Repository | None:
        """The repository that was imported from there."""
        return next((one for one in self._repositories.values() if one.source == source), None)

    async def put_repository(self, repository: Repository) -> None:
        """Insert, or replace the one of that name."""
        self._repositories[repository.name] = repository

    async def add_pull_request(
        self, repository: str, build: Callable[[int], PullRequest], *, above: int = 0
    ) -> PullRequest:
        """Store what `build` makes of the next free number above this one."""
        built = build(1 + max([above, *(number for name, number in self._pulls if name == repository)]))
        self._pulls[repository, built.number] = built
        return built

    async def put_pull_request(self, pull_request: PullRequest) -> None:
        """Replace the one of that number. Raises NotFound."""
        key = (pull_request.repository, pull_request.number)
        if key not in self._pulls:
            raise NotFound(f"There is no pull request {pull_request.number} in {pull_request.repository}.")
        self._pulls[key] = pull_request

    async def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """The pull request of that number."""
        return self._pulls.get((repository, number))

    async def pull_request_of(self, repository: str, head_branch: str) -> PullRequest | None:
        """The newest pull request of a head branch."""
        return next((one for one in await self.pull_requests(repository) if one.head_branch == head_branch), None)

    async def pull_requests(self, repository: str | None) -> list[PullRequest]:
        """Those of one repository, or all; newest first."""
        mine = [one for one in self._pulls.values() if repository in (None, one.repository)]
        return sorted(mine, key=lambda one: (one.opened_at, one.number), reverse=True)

    async def put_proof(self, repository: str, number: int, proof: Proof) -> None:
        """Keep the evidence about a head."""
        self._proofs[repository, number, proof.head] = proof

    async def proof(self, repository: str, number: int, head: CommitId) -> Proof | None:
        """The evidence about that head."""
        return self._proofs.get((repository, number, head))
