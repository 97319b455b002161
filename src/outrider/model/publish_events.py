"""Events of what a session shows the forge: branches and pull requests. Part of `model.events`."""

from typing import Literal

from pydantic import Field

from outrider.model.base import Model, Sentence
from outrider.model.ids import ProofId
from outrider.model.person import Person
from outrider.model.repository import BranchName, CommitHash, PullRequest, PullRequestState


class PublishRequested(Model):
    """The branch is to be pushed and a pull request to exist for it."""

    type: Literal["publish_requested"] = "publish_requested"
    head: CommitHash
    title: str = Field(max_length=300)
    body: str = Field(max_length=65_536)
    asked_by: Literal["engine", "turn_end"]
    pull_request: bool = Field(default=True, description="False: only the branch, since the turn did not end well")


class BranchPushed(Model):
    """The branch stands on the forge at this commit."""

    type: Literal["branch_pushed"] = "branch_pushed"
    branch: BranchName
    head: CommitHash


class PullRequestOpened(Model):
    """A pull request exists for the branch."""

    type: Literal["pull_request_opened"] = "pull_request_opened"
    pull_request: PullRequest


class PublishFailed(Model):
    """The branch or the pull request could not be published; nothing is lost, the work is in the workspace."""

    type: Literal["publish_failed"] = "publish_failed"
    head: CommitHash
    reason: Sentence


class EvidenceAttached(Model):
    """The pull request shows this proof."""

    type: Literal["evidence_attached"] = "evidence_attached"
    number: int
    proof: ProofId


class PullRequestChanged(Model):
    """The pull request was merged, closed or reopened on the forge."""

    type: Literal["pull_request_changed"] = "pull_request_changed"
    number: int
    state: PullRequestState
    by: Person
