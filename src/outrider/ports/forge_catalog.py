"""What the built-in forge remembers beside its bare repositories."""

from collections.abc import Callable, Sequence
from typing import Protocol

from outrider.model.ids import CommitId
from outrider.model.proof import Proof
from outrider.model.repository import PullRequest, Repository


class ForgeCatalog(Protocol):
    """Repositories, pull requests and their evidence."""

    async def repositories(self) -> Sequence[Repository]:
        """All, by name."""

    async def repository(self, name: str) -> Repository | None:
        """The repository of that name."""

    async def repository_of(self, source: str) -> Repository | None:
        """The repository that was imported from there."""

    async def put_repository(self, repository: Repository) -> None:
        """Insert, or replace the one of that name."""

    async def add_pull_request(
        self, repository: str, build: Callable[[int], PullRequest], *, above: int = 0
    ) -> PullRequest:
        """Store what `build` makes of the next free number of the repository above this one, counted from 1."""

    async def put_pull_request(self, pull_request: PullRequest) -> None:
        """Replace the one of that number. Raises NotFound."""

    async def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """The pull request of that number."""

    async def pull_request_of(self, repository: str, head_branch: str) -> PullRequest | None:
        """The newest pull request of a head branch, whatever became of it."""

    async def pull_requests(self, repository: str | None) -> Sequence[PullRequest]:
        """Those of one repository, or all; newest first, 1,000 at most."""

    async def put_proof(self, repository: str, number: int, proof: Proof) -> None:
        """Keep the evidence about a head of a pull request; it replaces the older of the same head."""

    async def proof(self, repository: str, number: int, head: CommitId) -> Proof | None:
        """The evidence about that head."""
