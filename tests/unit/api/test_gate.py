"""The gate: who gets in, from where, and with what headers."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from outrider.api.auth import AUTHOR_HEADER, COOKIE, LINK_LIFETIME, LOGIN_LIFETIME, Authenticator, author_header
from outrider.api.gate import Gate
from outrider.model.membership import Account
from outrider.model.person import Person
from outrider.testing.memory_logins import MemoryLogins

ADA = Person(name="Ada", email="ada@example.com")
TOKEN = "owner-token"


class SetClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


async def _whoami(request: Request) -> PlainTextResponse:
    login = getattr(request.state, "login", None)
    return PlainTextResponse(login.person.name if login else "nobody")


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.state.login.person.name)
    await websocket.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def authenticator(clock: SetClock) -> Authenticator:
    return Authenticator(ADA, TOKEN, MemoryLogins(), clock)


@pytest.fixture
def client(authenticator: Authenticator) -> Iterator[TestClient]:
    routes = [Route("/{path:path}", _whoami), WebSocketRoute("/api/feed", _socket)]
    app = Gate(Starlette(routes=routes), authenticator, ["localhost", "127.0.0.1"])
    with TestClient(app, base_url="http://localhost:4100") as client:
        yield client


def _bearer(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/api/me", "/api/sessions/s-abcd", "/git/shop.git/info/refs", "/api/anything"])
def test_a_stranger_is_turned_away(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer.json()["remedy"] == "Run `outrider login` for a login link."


@pytest.mark.parametrize("path", ["/", "/sessions/s-abcd", "/assets/index.js", "/login/abc", "/api/health"])
def test_the_page_and_the_health_of_the_server_are_open(client: TestClient, path: str) -> None:
    assert client.get(path).text == "nobody"


def test_the_owner_gets_in_by_token(client: TestClient) -> None:
    assert client.get("/api/me", headers=_bearer()).text == "Ada"
    assert client.get("/api/me", headers=_bearer("wrong")).status_code == 401


def test_git_gets_in_with_the_token_as_password(client: TestClient) -> None:
    basic = base64.b64encode(f"git:{TOKEN}".encode()).decode()
    assert client.get("/git/shop.git/info/refs", headers={"authorization": f"Basic {basic}"}).text == "Ada"
    assert client.get("/git/shop.git/info/refs", headers={"authorization": "Basic ???"}).status_code == 401
    assert "Basic" in client.get("/git/shop.git/info/refs").headers["www-authenticate"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::"])
def test_another_host_name_gets_nothing(client: TestClient, host: str) -> None:
    assert client.get("/api/me", headers={**_bearer(), "host": host}).status_code == 421


def test_another_sites_page_gets_nothing(client: TestClient) -> None:
    assert client.post("/api/me", headers={**_bearer(), "origin": "https://evil.example"}).status_code == 403
    assert client.get("/api/me", headers={**_bearer(), "origin": "http://localhost:4100"}).status_code == 200


async def test_a_login_link_works_once(authenticator: Authenticator) -> None:
    link = await authenticator.make_link(Account(person=ADA))
    login = await authenticator.follow_link(link)
    assert login is not None
    assert (await authenticator.cookie_login(login)).person == ADA  # type: ignore[union-attr]
    assert await authenticator.follow_link(link) is None


async def test_a_login_link_and_a_login_grow_old(authenticator: Authenticator, clock: SetClock) -> None:
    link, login_link = await authenticator.make_link(Account(person=ADA)), await authenticator.make_link(ADA)
    login = await authenticator.follow_link(login_link)
    clock.time += LINK_LIFETIME
    assert await authenticator.follow_link(link) is None
    clock.time += LOGIN_LIFETIME
    assert login is not None
    assert await authenticator.cookie_login(login) is None


async def test_logging_out_ends_a_login(authenticator: Authenticator) -> None:
    login = await authenticator.follow_link(await authenticator.make_link(Account(person=ADA)))
    assert login is not None
    await authenticator.log_out(login)
    assert await authenticator.cookie_login(login) is None


def test_a_page_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    headers = client.get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_socket_is_closed_to_strangers_and_to_other_sites(client: TestClient) -> None:
    here = {"host": "localhost:4100"}
    evil = {**here, **_bearer(), "origin": "https://evil.example"}
    for headers, code, said in (
        (here, 401, "You are not logged in."),
        (evil, 403, "Another site's page may not use this server."),
        ({**_bearer(), "host": "evil.example"}, 421, "This server does not answer to that host name."),
    ):
        with pytest.raises(WebSocketDenialResponse) as closed, client.websocket_connect("/api/feed", headers=headers):
            pass
        assert (closed.value.status_code, closed.value.json()["sentence"]) == (code, said)
    with client.websocket_connect("/api/feed", headers={**here, **_bearer()}) as socket:
        assert socket.receive_text() == "Ada"


def test_the_owners_token_speaks_under_the_name_that_it_gives(client: TestClient) -> None:
    named = {AUTHOR_HEADER: author_header(Person(name="Zoë Ü", email="zoe@example.org"))}
    assert client.get("/api/me", headers={**_bearer(), **named}).text == "Zoë Ü"
    assert client.get("/api/me", headers={**_bearer("wrong"), **named}).status_code == 401
    for wrong in ("nobody", "%3C%3E", "A%0AB <a@b>", "A <a@b> <c"):
        refused = client.get("/api/me", headers={**_bearer(), AUTHOR_HEADER: wrong})
        assert (refused.status_code, "NAME <EMAIL>" in refused.json()["remedy"]) == (422, True)


async def test_no_other_login_speaks_for_another(client: TestClient, authenticator: Authenticator) -> None:
    client.cookies.set(COOKIE, await authenticator.log_in(Account(person=Person(name="Bob", email="bob@example.org"))))
    assert client.get("/api/me", headers={AUTHOR_HEADER: author_header(ADA)}).status_code == 422
    assert client.get("/api/me").text == "Bob"
