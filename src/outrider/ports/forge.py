"""Forges: where repositories and pull requests live."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from outrider.model.ids import CommitId, SessionId
from outrider.model.person import Person
from outrider.model.proof import Proof
from outrider.model.repository import PullRequest, PullRequestDraft, Repository
from outrider.model.review import PullRequestPage

Progress = Callable[[str], None]


def unheard(line: str) -> None:
    """Progress that nobody hears: what is only worth telling is not looked for."""


class Forge(Protocol):
    """One code host."""

    name: str

    async def find(self, source: str, progress: Progress) -> Repository:
        """The repository that a person named by path, URL or name; imported or refreshed where that is needed.
        Raises RepositoryError: it does not exist, is empty, has no commit, cannot be read."""

    async def head(self, repository: Repository, branch: str | None) -> tuple[str, CommitId]:
        """A branch (the default one for None) and its commit. Raises RepositoryError, naming the branches there are."""

    def mirror(self, repository: Repository) -> Path:
        """A local bare repository that holds what the forge has, for the broker to serve read-only."""

    async def push(self, repository: Repository, quarantine: Path, commit: CommitId, branch: str) -> None:
        """Push a commit from a quarantine repository to a branch. The same commit again is done. Refuses protected
        branches and anything that is not a fast-forward of the session's own branch. Raises RepositoryError."""

    async def open_pull_request(self, repository: Repository, draft: PullRequestDraft) -> PullRequest:
        """The open pull request of the head branch, opened where there is none, its head brought up to date."""

    async def show_proof(self, pull_request: PullRequest, proof: Proof) -> None:
        """Put the evidence on the pull request; the newest for a head replaces the older."""

    async def pull_requests(self, repository: str | None = None) -> Sequence[PullRequest]:
        """Newest first."""

    async def page(self, repository: str, number: int) -> PullRequestPage:
        """One pull request with all that a reviewer looks at. Raises NotFound."""

    async def repositories(self) -> Sequence[Repository]:
        """The repositories that the forge knows, by name."""

    async def merge(self, repository: str, number: int, by: Person) -> PullRequest:
        """Merge an open pull request. Raises Refused with the reason (conflict, closed)."""

    async def close(self, repository: str, number: int, by: Person) -> PullRequest:
        """Close an open pull request without merging."""


class ForgeListener(Protocol):
    """Who is told when a pull request of a session changes."""

    async def pull_request_changed(self, session: SessionId, pull_request: PullRequest, by: Person) -> None:
        """It was merged or closed."""


class PushListener(Protocol):
    """Who is told when a branch of a repository has another commit, whoever moved it: a merge here, a push there."""

    async def pushed(self, repository: str, branch: str) -> None:
        """The repository of that name. Never raises: what comes of it is no concern of the push."""
