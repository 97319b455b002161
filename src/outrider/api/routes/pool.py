"""The warm pool: hold a sandbox while somebody types, and see how well the pool serves."""

from fastapi import APIRouter

from outrider.api.parts import Parts, UseLogin, UseParts, author_of
from outrider.api.routes.sessions import chosen_model
from outrider.api.views import Held, Typing
from outrider.model.pool import PoolKey, PoolReport
from outrider.model.repository import Repository

router = APIRouter(prefix="/api", tags=["pool"])


@router.post("/warm")
async def warm(parts: UseParts, login: UseLogin, typing: Typing) -> Held:
    """Hold a warm sandbox for a while for a session that is about to be started; say it again while typing goes on."""
    person = author_of(login, typing.author)
    model = chosen_model(typing.model, await parts.describe(login.person))
    repository = await _known(parts, typing.repository)
    lease = None
    if repository is not None:
        key = PoolKey(repository=repository.name, branch=typing.branch or repository.default_branch)
        lease = await parts.pool.hold(key, model, person.email)
    if lease is None:
        return Held(held=False, ready=False, seconds=0)
    return Held(held=True, ready=lease.ready, seconds=lease.seconds)


@router.get("/pool")
async def pool(parts: UseParts) -> PoolReport:
    """The pool as it is now, and what it has done since the server started."""
    return parts.pool.report()


async def _known(parts: Parts, named: str) -> Repository | None:
    """Nothing is imported for typing alone."""
    known = await parts.forge.repositories()
    return next((one for one in known if named in (one.name, one.source)), None)
