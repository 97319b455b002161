"""Repositories, branches, commits, pull requests: the forge's words."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from outrider.model.base import Model
from outrider.model.ids import CommitId
from outrider.model.person import Person

FileKind = Literal["added", "changed", "deleted"]
CommitHash = Annotated[CommitId, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
BranchName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/+@#-]*$")
]
RepositoryName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]


class Repository(Model):
    """A repository on a forge. `source` is what the person named: a path or URL, shown and never executed."""

    forge: str
    name: RepositoryName
    source: str = Field(max_length=4096)
    default_branch: BranchName


class Commit(Model):
    """One commit as the control plane read it from a repository of its own."""

    sha: CommitHash
    author: Person
    subject: str = Field(max_length=1000)


class FileChange(Model):
    """What a change does to one file. `added` and `deleted` are lines; None for a binary file."""

    path: str
    added: int | None
    deleted: int | None
    kind: FileKind = Field(default="changed", description="Logs of the first release say “changed” of all files")


class PullRequestState(StrEnum):
    """What became of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class PullRequest(Model):
    """A pull request on a forge."""

    repository: RepositoryName
    number: int = Field(ge=1)
    url: str
    title: str = Field(max_length=300)
    body: str = Field(max_length=65_536)
    author: Person
    base_branch: BranchName
    head_branch: BranchName
    base_commit: CommitHash
    head_commit: CommitHash
    state: PullRequestState
    session: str | None = None
    opened_at: AwareDatetime


class PullRequestDraft(Model):
    """What is asked of a forge. The same head branch again is the same pull request."""

    title: str = Field(min_length=1, max_length=300)
    body: str = Field(max_length=65_536)
    author: Person
    base_branch: BranchName
    head_branch: BranchName
    session: str | None = None
