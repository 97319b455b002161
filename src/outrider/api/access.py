"""Who may see which session. Asked for every route by the application itself, so that no route can forget it."""

from collections.abc import Iterable, Mapping

from fastapi import Request

from outrider.api.auth import Login
from outrider.api.parts import Parts
from outrider.model.errors import NotAllowed, NotFound
from outrider.model.ids import SessionId
from outrider.model.membership import Member, Role, at_least, role_in
from outrider.ports.store import SessionRow
from outrider.session.decide.rights import expect_in

_OF_ONE = "/api/sessions/{session}"

ROUTES_OF_GUESTS = frozenset(
    {
        ("GET", "/api/me"),
        ("POST", "/api/logout"),
        ("POST", "/api/join"),
        ("POST", "/api/join/look"),
        ("GET", "/api/sessions"),
        ("GET", _OF_ONE),
        ("GET", f"{_OF_ONE}/result"),
        ("GET", f"{_OF_ONE}/events"),
        ("GET", f"{_OF_ONE}/changes"),
        ("GET", f"{_OF_ONE}/transcript"),
        ("GET", f"{_OF_ONE}/artifacts/{{artifact}}"),
        ("POST", "/api/attachments"),
        ("GET", f"{_OF_ONE}/attachments/{{attachment}}"),
        ("GET", f"{_OF_ONE}/members"),
        ("DELETE", f"{_OF_ONE}/members/{{email}}"),
        ("POST", f"{_OF_ONE}/prompts"),
        ("PATCH", f"{_OF_ONE}/prompts/{{prompt}}"),
        ("DELETE", f"{_OF_ONE}/prompts/{{prompt}}"),
        ("POST", f"{_OF_ONE}/prompts/{{prompt}}/move"),
        ("POST", f"{_OF_ONE}/prompts/{{prompt}}/steer"),
        ("POST", f"{_OF_ONE}/stop"),
        ("POST", f"{_OF_ONE}/typing"),
    }
)
"""All that a guest may call, in sessions that they have joined. What is not here is closed to them."""


_OF_VIEWERS = ("/api/logout", "/api/join", "/api/login-links", "/api/attachments", "/api/pull-requests/", "/git/")
"""What a viewer's login may send, beside what is about one session. Pull requests have the rights of theirs."""


async def guard(request: Request) -> None:
    """In front of every route: a guest's are listed, and a route of a session is for those who may see it. Raises
    NotFound, as for a session that does not exist, and NotAllowed."""
    login = getattr(request.state, "login", None)
    if not isinstance(login, Login):
        return  # one of the few that are open; the gate lets nobody through elsewhere
    if login.account.guest and (request.method, request.scope["route"].path) not in ROUTES_OF_GUESTS:
        raise NotAllowed("A guest sees and uses the sessions that they were invited to.", "For more, ask for a login.")
    if login.account.role == "viewer" and not _only_looks(request):
        raise NotAllowed("A viewer's login only looks.", "Ask the owner of this deployment for another one.")
    if (session := request.path_params.get("session")) is not None:
        await expect_to_see(request.app.state.parts, login, SessionId(session))


async def expect_to_see(parts: Parts, login: Login, session: SessionId) -> None:
    """Raises NotFound where the person may not see the session, or there is none."""
    if await role_for(parts, login, session) is None:
        raise NotFound(f"There is no session {session}.")


async def role_for(parts: Parts, login: Login, session: SessionId) -> Role | None:
    """The person's role in a session. Raises NotFound where there is none."""
    return role_with(parts, login, session, await parts.registry.members(session))


def role_with(parts: Parts, login: Login, session: SessionId, members: Mapping[str, Member]) -> Role | None:
    """The person's role in a session with these members."""
    if login.account.guest and session not in login.account.sessions:
        return None
    return role_in(members, parts.house, login.caller)


async def expect_role(parts: Parts, login: Login, session: SessionId, least: Role) -> None:
    """Raises NotAllowed, with who can raise the role, where the person has less than this role in the session."""
    members = await parts.registry.members(session)
    expect_in(session, members, parts.house, login.caller, least)


def sees_all(parts: Parts, login: Login) -> bool:
    """Whether the person may see every session, those of which they are no member too."""
    return not login.account.guest and role_in({}, parts.house, login.caller) is not None


def expect_all(parts: Parts, login: Login) -> None:
    """Raises NotAllowed where the person may not see every session."""
    if not sees_all(parts, login):
        raise NotAllowed("This shows work of every session.", "It takes a login that may see all of them.")


def expect_to_work_anywhere(parts: Parts, login: Login) -> None:
    """Raises NotAllowed where the person may not work in every session: what is asked concerns all of a repository."""
    if login.account.guest or not at_least(role_in({}, parts.house, login.caller), "prompter"):
        raise NotAllowed("This concerns every session of the repository.", "It takes a login that may work in all.")


def expect_may_start(login: Login) -> None:
    """Raises NotAllowed for a login that only looks."""
    if login.account.role == "viewer":
        raise NotAllowed("A viewer's login starts no sessions.", "Ask the owner of this deployment for another one.")


def is_visible(parts: Parts, login: Login, row: SessionRow) -> bool:
    """Whether the person may see the session of this row."""
    return role_with(parts, login, row.id, row.members) is not None


async def seen_of(parts: Parts, login: Login, sessions: Iterable[str]) -> set[str]:
    """Those of these sessions that the person may see, or that are in no index any more."""
    seen = set()
    for session in set(sessions):
        row = await parts.index.get(SessionId(session))
        if is_visible(parts, login, row) if row else sees_all(parts, login):
            seen.add(session)
    return seen


def _only_looks(request: Request) -> bool:
    """Whether the request changes nothing but in a session, where the rights of that session hold, or of the login."""
    if request.method in ("GET", "HEAD") or "session" in request.path_params:
        return True
    path: str = request.scope["route"].path
    return path.startswith(_OF_VIEWERS)
