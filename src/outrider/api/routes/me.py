"""Who is logged in, login links, and whether the server lives."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from starlette.requests import Request

from outrider import __version__
from outrider.api.auth import COOKIE, LOGIN_LIFETIME
from outrider.api.gate import cookie_value
from outrider.api.parts import UseLogin, UseParts, author_of
from outrider.api.problems import problem
from outrider.api.views import LoginLink, Me, NewLoginLink
from outrider.model.errors import BadRequest
from outrider.model.membership import Account

router = APIRouter(tags=["people"])


@router.get("/api/health")
async def health() -> dict[str, object]:
    """The server answers."""
    return {"ok": True, "version": __version__}


@router.get("/api/me")
async def me(parts: UseParts, login: UseLogin) -> Me:
    """Who is logged in, and what this deployment can do."""
    told = await parts.describe(login.person)
    return told.model_copy(update={"guest": login.account.guest})


@router.post("/api/login-links")
async def make_login_link(parts: UseParts, login: UseLogin, wanted: NewLoginLink) -> LoginLink:
    """A link that logs a browser in, once."""
    if not login.may_name_author and wanted.role is not None:
        raise BadRequest("A login of a browser cannot give roles.", "Leave `role` out.")
    person = author_of(login, wanted.person)
    for_another = wanted.person is not None or wanted.role is not None
    account = Account(person=person, role=wanted.role) if for_another else login.account
    token = await parts.authenticator.make_link(account)
    return LoginLink(url=f"{parts.address()}/login/{token}")


@router.get("/login/{token}", include_in_schema=False)
async def follow_login_link(parts: UseParts, token: str, to: str = "/") -> Response:
    """Log the browser in and go on to the page `to` of this site."""
    login = await parts.authenticator.follow_link(token)
    if login is None:
        return problem(410, "This login link was used already or is too old.", "Run `outrider login` for a fresh one.")
    target = to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
    response = RedirectResponse(target, status_code=303)
    response.set_cookie(COOKIE, login, max_age=int(LOGIN_LIFETIME.total_seconds()), httponly=True, samesite="strict")
    return response


@router.post("/api/logout", status_code=204)
async def log_out(parts: UseParts, login: UseLogin, request: Request, response: Response) -> None:
    """End the browser's login."""
    token = cookie_value(request.headers)
    if token:
        await parts.authenticator.log_out(token)
    response.delete_cookie(COOKIE)
