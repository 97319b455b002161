"""What a reviewer looks at: a pull request with its commits, files, diff and evidence."""

from pydantic import Field

from outrider.model.base import Model
from outrider.model.proof import Proof
from outrider.model.repository import Commit, FileChange, PullRequest

MAX_DIFF_BYTES = 1 << 20
"""A longer diff is cut at a line and says so."""


class PullRequestPage(Model):
    """All of one pull request. `mergeable` is None where the forge has not said yet."""

    pull_request: PullRequest
    commits: tuple[Commit, ...] = Field(max_length=500)
    files: tuple[FileChange, ...] = Field(max_length=2000)
    diff: str
    diff_truncated: bool = False
    proof: Proof | None = None
    mergeable: bool | None = None
