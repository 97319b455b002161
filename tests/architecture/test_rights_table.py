"""No route and no frame forgets to ask who may: each is called here by somebody who may not."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast, get_args

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from outrider.api.access import ROUTES_OF_GUESTS
from outrider.api.auth import Login
from outrider.api.feed import Feed
from outrider.api.server import build_api
from outrider.model.feed import ClientFrame
from outrider.model.ids import SessionId
from outrider.model.membership import Account, House, Member
from outrider.testing.playbook import ADA, BOB, SESSION
from tests.architecture.test_whole_tree import PATHS, STRANGERS_MAY


class Registry:
    """One session of Ada's, which others do not see."""

    async def members(self, session: SessionId) -> dict[str, Member]:
        """Ada alone."""
        return {ADA.email: Member(person=ADA, role="owner")}


PARTS = SimpleNamespace(registry=Registry(), house=House(others=None))
API = build_api(cast("Any", PARTS))
ROUTES = sorted((method.upper(), path) for path, methods in API.openapi()["paths"].items() for method in methods)
OF_SESSIONS = [(method, path) for method, path in ROUTES if "{session}" in path]


def called_by(account: Account) -> ASGIApp:
    """The routes, with nothing behind them, behind a gate that has let somebody in."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["login"] = Login(account)
        await API(scope, receive, send)

    return app


def call(account: Account, method: str, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=called_by(account))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, re.sub(r"\{[^}]*\}", "x", path))

    return asyncio.run(ask())


@pytest.mark.parametrize(("method", "path"), OF_SESSIONS)
def test_a_route_of_a_session_is_for_those_who_may_see_it(method: str, path: str) -> None:
    answer = call(Account(person=BOB), method, path)
    assert (answer.status_code, answer.json()["sentence"]) == (404, "There is no session x.")


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] not in STRANGERS_MAY])
def test_a_guest_gets_nowhere_but_to_what_is_listed(method: str, path: str) -> None:
    if (method, path) in ROUTES_OF_GUESTS and "{session}" not in path:
        return
    answer = call(Account(person=BOB, guest=True, sessions=(SESSION,)), method, path)
    assert answer.status_code == (404 if (method, path) in ROUTES_OF_GUESTS else 403)


def test_what_a_guest_may_is_there() -> None:
    assert set(ROUTES) >= ROUTES_OF_GUESTS


def test_a_session_in_a_path_is_named_so() -> None:
    """`guard` knows a session by the name of the parameter."""
    assert not [path for path in PATHS if re.search(r"/sessions/\{(?!session\})", path)]
    assert not [path for path in PATHS if re.search(r"\{session[_:]", path)]


def test_a_guest_fetches_nothing_by_git() -> None:
    assert call(Account(person=BOB, guest=True), "GET", "/git/{repository}.git/info/refs").status_code == 403


def test_a_feed_is_for_those_who_may_see_the_session() -> None:
    told: list[Any] = []

    async def attach() -> None:
        scope = {
            "type": "websocket",
            "path": "/",
            "path_params": {"session": SESSION},
            "query_string": b"",
            "headers": [],
            "app": SimpleNamespace(state=SimpleNamespace(parts=PARTS)),
            "state": {"login": Login(Account(person=BOB))},
        }

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            told.append(message)

        await Feed()(scope, receive, send)

    asyncio.run(attach())
    assert [(message["type"], message.get("code")) for message in told] == [("websocket.close", 4404)]


def test_every_frame_of_a_client_is_known_here() -> None:
    """A new one becomes a command, which is in the table of rights, or asks `expect_role` itself as `here` does."""
    frames = {kind.__name__ for kind in get_args(get_args(ClientFrame)[0])}
    commands = {"PromptFrame", "WithdrawFrame", "MoveFrame", "EditFrame", "SteerFrame", "StopFrame", "TypingFrame"}
    assert frames == commands | {"HereFrame"}
