"""Pull requests of the forge, for reading, merging and closing."""

from fastapi import APIRouter

from outrider.api.access import expect_all, expect_role, seen_of
from outrider.api.auth import Login
from outrider.api.parts import Parts, UseLogin, UseParts
from outrider.api.views import PullRequestAnswer, PullRequestList
from outrider.model.errors import NotFound
from outrider.model.ids import SessionId
from outrider.model.review import PullRequestPage

router = APIRouter(prefix="/api", tags=["pull requests"])


@router.get("/pull-requests")
async def pull_requests(parts: UseParts, login: UseLogin, repository: str | None = None) -> PullRequestList:
    """Pull requests of sessions that you may see, newest first."""
    found = await parts.forge.pull_requests(repository)
    seen = await seen_of(parts, login, (one.session for one in found if one.session))
    return PullRequestList(pull_requests=tuple(one for one in found if not one.session or one.session in seen))


@router.get("/pull-requests/{repository}/{number}")
async def pull_request(parts: UseParts, login: UseLogin, repository: str, number: int) -> PullRequestPage:
    """One pull request with commits, files, diff and evidence."""
    return await _seen(parts, login, repository, number)


@router.post("/pull-requests/{repository}/{number}/merge")
async def merge(parts: UseParts, login: UseLogin, repository: str, number: int) -> PullRequestAnswer:
    """Merge it, in the name of who asks. It takes who may work in its session."""
    await _expect_to_work(parts, login, repository, number)
    return PullRequestAnswer(pull_request=await parts.forge.merge(repository, number, login.person))


@router.post("/pull-requests/{repository}/{number}/close")
async def close(parts: UseParts, login: UseLogin, repository: str, number: int) -> PullRequestAnswer:
    """Close it without merging. It takes who may work in its session."""
    await _expect_to_work(parts, login, repository, number)
    return PullRequestAnswer(pull_request=await parts.forge.close(repository, number, login.person))


async def _seen(parts: Parts, login: Login, repository: str, number: int) -> PullRequestPage:
    page = await parts.forge.page(repository, number)
    session = page.pull_request.session
    if session and not await seen_of(parts, login, [session]):
        raise NotFound(f"There is no pull request {number} of {repository}.")
    return page


async def _expect_to_work(parts: Parts, login: Login, repository: str, number: int) -> None:
    session = (await _seen(parts, login, repository, number)).pull_request.session
    if session is None:
        expect_all(parts, login)
    elif await parts.index.get(SessionId(session)):
        await expect_role(parts, login, SessionId(session), "prompter")
