"""What every door keeps: its own rights, its own end, and nothing left behind."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from outrider.broker import http_server
from outrider.broker.door import UnixBroker
from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressDecision, EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.gateway import LlmGateway
from outrider.broker.network import HostNetwork
from outrider.broker.package_clients import PackageClients
from outrider.model.egress import EgressPolicy
from outrider.model.errors import SandboxError
from outrider.ports.broker import Broker, Door, DoorSpec
from outrider.ports.tools import SessionTools


class Named:
    """Tools that only have a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run_checks(self) -> str:
        return self.name

    async def open_pull_request(self, title: str, body: str) -> str:
        return title + body


ended: list[str] = []


@contextlib.asynccontextmanager
async def named_app(whose: Callable[[], SessionTools | None]) -> AsyncIterator[ASGIApp]:
    """Answers with the session's own name, or that it has none; `/mcp/hold` never does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tools = whose()
        name = (await tools.run_checks()).encode() if tools else b"not yet"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": name, "more_body": True})
        if scope["path"].endswith("/hold"):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name.decode())
        await send({"type": "http.response.body", "body": b""})

    yield app


@pytest.fixture
async def broker(short_path: Path) -> AsyncIterator[UnixBroker]:
    """A broker without models or egress."""
    proxy = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()))
    async with (
        LlmGateway([]) as gateway,
        UnixBroker(short_path / "b", gateway, proxy, named_app, PackageClients(HostNetwork())) as made,
    ):
        yield made


def client(door: Door) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(door.http))
    return httpx.AsyncClient(transport=transport, base_url="http://broker", trust_env=False, timeout=20)


def test_it_is_a_broker() -> None:
    kept: type[Broker] = UnixBroker
    assert kept


async def test_each_door_knows_its_own_session(broker: UnixBroker) -> None:
    async with (
        broker.open(DoorSpec("a", tools=Named("a"))) as one,
        broker.open(DoorSpec("b", tools=Named("b"))) as two,
        client(one) as at_one,
        client(two) as at_two,
    ):
        assert (await at_one.get("/mcp")).text == "a"
        assert (await at_two.get("/mcp")).text == "b"


async def test_a_door_that_is_handed_over_has_only_its_new_owners_rights(broker: UnixBroker, tmp_path: Path) -> None:
    init = await asyncio.create_subprocess_exec("git", "init", "-q", "--bare", str(tmp_path / "one.git"))
    assert await init.wait() == 0
    asked = "/git/repository.git/info/refs?service=git-upload-pack"
    warm = DoorSpec("pool", unowned=True, repository=tmp_path / "one.git")
    async with broker.open(warm) as door, client(door) as at_door, broker.open(DoorSpec("x")) as other:
        assert (await at_door.get("/mcp")).text == "not yet"
        assert (await at_door.get(asked)).status_code == 200
        broker.hand_over(door, DoorSpec("s", tools=Named("s")))
        assert (await at_door.get("/mcp")).text == "s"
        assert (await at_door.get(asked)).status_code == 404
        async with client(other) as at_other:
            assert (await at_other.get("/mcp")).status_code == 404
    with pytest.raises(SandboxError, match="closed"):
        broker.hand_over(door, DoorSpec("late"))


async def test_egress_asks_for_the_owner_of_now(short_path: Path) -> None:
    told: list[EgressDecision] = []
    proxy = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()), told.append)
    clients = PackageClients(HostNetwork())
    async with (
        LlmGateway([]) as gateway,
        UnixBroker(short_path / "b", gateway, proxy, named_app, clients) as broker,
        broker.open(DoorSpec("pool", egress=EgressPolicy())) as door,
    ):
        await connect_through(door)
        broker.hand_over(door, DoorSpec("s"))
        await connect_through(door)
    assert [(line.owner, "no way out" in line.why) for line in told] == [("pool", False), ("s", True)]


async def connect_through(door: Door) -> None:
    reader, writer = await asyncio.open_unix_connection(door.egress)
    writer.write(b"CONNECT nowhere.example:443 HTTP/1.1\r\nHost: nowhere.example\r\n\r\n")
    assert b"403" in await reader.read()
    writer.close()


async def test_sockets_are_private_and_short_and_gone_afterwards(broker: UnixBroker) -> None:
    async with broker.open(DoorSpec("a")) as door:
        for path in (door.http, door.egress):
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert len(bytes(path)) < 100
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(broker.runtime.stat().st_mode) == 0o700
    assert list(broker.runtime.iterdir()) == []


async def test_leaving_a_door_ends_what_runs_behind_it(broker: UnixBroker) -> None:
    ended.clear()
    async with asyncio.timeout(10):
        async with broker.open(DoorSpec("a", tools=Named("held"))) as door:
            reader, writer = await asyncio.open_unix_connection(door.http)
            writer.write(b"GET /mcp/hold HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"held")
        assert await reader.read() in (b"", b"\r\n")
        writer.close()
    assert ended == ["held"]


async def test_a_door_may_be_left_in_another_task(broker: UnixBroker) -> None:
    context = broker.open(DoorSpec("a", tools=Named("a")))
    async with asyncio.TaskGroup() as tasks:
        door = await tasks.create_task(context.__aenter__(), name="enter")
    async with client(door) as at_door:
        assert (await at_door.get("/mcp")).status_code == 200
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(context.__aexit__(None, None, None), name="leave")
    assert not door.http.exists()


async def test_a_path_that_is_too_long_is_said(short_path: Path) -> None:
    proxy = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()))
    clients = PackageClients(HostNetwork())
    async with (
        LlmGateway([]) as gateway,
        UnixBroker(short_path / ("x" * 90), gateway, proxy, named_app, clients) as broker,
    ):
        with pytest.raises(SandboxError, match="too long"):
            async with broker.open(DoorSpec("a")):
                pass
        assert list(broker.runtime.iterdir()) == []


async def test_what_a_dead_server_left_is_cleared(short_path: Path) -> None:
    (short_path / "b" / "dold").mkdir(parents=True)
    (short_path / "b" / "dold" / "h").touch()
    proxy = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()))
    clients = PackageClients(HostNetwork())
    async with LlmGateway([]) as gateway, UnixBroker(short_path / "b", gateway, proxy, named_app, clients) as broker:
        assert list(broker.runtime.iterdir()) == []


async def test_an_endless_head_is_cut_off(broker: UnixBroker) -> None:
    async with broker.open(DoorSpec("a")) as door, asyncio.timeout(10):
        reader, writer = await asyncio.open_unix_connection(door.http)
        writer.write(b"GET /mcp HTTP/1.1\r\nX: ")
        answer = b""
        while not answer:
            writer.write(b"y" * 10_000)
            with contextlib.suppress(TimeoutError):
                answer = await asyncio.wait_for(reader.read(100), 0.05)
        assert answer.startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_a_slow_head_is_cut_off(broker: UnixBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    async with broker.open(DoorSpec("a", tools=Named("a"))) as door, asyncio.timeout(10):
        for before in (b"", b"GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"):
            reader, writer = await asyncio.open_unix_connection(door.http)
            writer.write(before)
            if before:
                await reader.readuntil(b"0\r\n\r\n")
            writer.write(b"GET /mcp HT")
            assert await reader.read() == b""
            writer.close()


async def test_no_more_connections_than_the_limit(broker: UnixBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "CONNECTION_LIMIT", 1)
    async with broker.open(DoorSpec("a", tools=Named("a"))) as door, asyncio.timeout(10):
        first_reader, first = await asyncio.open_unix_connection(door.http)
        first.write(b"GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n")
        await first_reader.readuntil(b"0\r\n\r\n")
        second_reader, second = await asyncio.open_unix_connection(door.http)
        assert (await second_reader.read()).startswith(b"HTTP/1.1 503 ")
        first.close()
        second.close()


async def test_nonsense_is_answered_and_closed(broker: UnixBroker) -> None:
    async with broker.open(DoorSpec("a")) as door, asyncio.timeout(10):
        reader, writer = await asyncio.open_unix_connection(door.http)
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
