"""The forge's repositories by git's own protocol, for people to fetch from. Nobody pushes here."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from outrider.api.access import expect_all
from outrider.api.parts import UseLogin, UseParts
from outrider.model.errors import NotFound

router = APIRouter(include_in_schema=False)


class Handover(Response):
    """Hands the request over to another ASGI application, below a prefix of the path."""

    def __init__(self, app: object, prefix: str) -> None:
        super().__init__()
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the other application answer."""
        inner = {**scope, "root_path": self._prefix, "path": scope["path"]}
        await self._app(inner, receive, send)  # type: ignore[operator]


@router.api_route("/git/{repository}.git/{path:path}", methods=["GET", "POST"])
async def git(parts: UseParts, login: UseLogin, request: Request, repository: str, path: str) -> Response:
    """`git clone http://HOST:PORT/git/NAME.git`, with the owner's token as password."""
    expect_all(parts, login)
    found = next((known for known in await parts.forge.repositories() if known.name == repository), None)
    if found is None:
        raise NotFound(f"There is no repository {repository}.")
    return Handover(parts.git_app(parts.forge.mirror(found)), f"/git/{repository}.git")
