"""Pull requests of the forge, for reading, merging and closing."""

from fastapi import APIRouter

from outrider.api.parts import UseLogin, UseParts
from outrider.api.views import PullRequestAnswer, PullRequestList
from outrider.model.review import PullRequestPage

router = APIRouter(prefix="/api", tags=["pull requests"])


@router.get("/pull-requests")
async def pull_requests(parts: UseParts, repository: str | None = None) -> PullRequestList:
    """Pull requests, newest first."""
    return PullRequestList(pull_requests=tuple(await parts.forge.pull_requests(repository)))


@router.get("/pull-requests/{repository}/{number}")
async def pull_request(parts: UseParts, repository: str, number: int) -> PullRequestPage:
    """One pull request with commits, files, diff and evidence."""
    return await parts.forge.page(repository, number)


@router.post("/pull-requests/{repository}/{number}/merge")
async def merge(parts: UseParts, login: UseLogin, repository: str, number: int) -> PullRequestAnswer:
    """Merge it, in the name of who asks."""
    return PullRequestAnswer(pull_request=await parts.forge.merge(repository, number, login.person))


@router.post("/pull-requests/{repository}/{number}/close")
async def close(parts: UseParts, login: UseLogin, repository: str, number: int) -> PullRequestAnswer:
    """Close it without merging."""
    return PullRequestAnswer(pull_request=await parts.forge.close(repository, number, login.person))
