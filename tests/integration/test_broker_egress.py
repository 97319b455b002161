"""The egress proxy on its Unix socket, in front of real servers on the loopback, with a resolver of our own."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outrider.broker.egress import proxy as proxy_module
from outrider.broker.egress.dial import Dialer, Unreachable, resolve
from outrider.broker.egress.proxy import EgressDecision, EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.network import HostNetwork, UpstreamProxy
from outrider.model.egress import AllowedHost, EgressPolicy, Refusal, Target
from outrider.ports.broker import DoorSpec


@dataclass
class Outside:
    """A server that keeps what it was sent and answers with `answer`; `echo` sends back what comes."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: x\r\nConnection: keep-alive\r\n\r\nhello"
    echo: bool = False
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.echo and (data := await reader.read(65536)):
                writer.write(data)
                await writer.drain()
            if not self.echo:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answer)
                await reader.read()
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Outside"]:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self


@dataclass
class Proxy:
    """A door's egress socket, and the decisions that were told."""

    path: Path
    told: list[EgressDecision] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    async def ask(self, head: bytes, *, then: bytes = b"", all_of_it: bool = True) -> bytes:
        """Send a head and what follows, and read the answer to its end."""
        async with asyncio.timeout(20):
            reader, writer = await asyncio.open_unix_connection(self.path)
            writer.write(head + then)
            writer.write_eof()
            try:
                return await reader.read() if all_of_it else await reader.readuntil(b"\r\n\r\n")
            finally:
                writer.close()


@asynccontextmanager
async def proxy(
    folder: Path, *hosts: AllowedHost, network: HostNetwork | None = None, answers: Sequence[str] = ("127.0.0.1",)
) -> AsyncIterator[Proxy]:
    made = Proxy(folder / "e")

    async def resolver(host: str, port: int) -> Sequence[str]:
        made.resolved.append(host)
        return answers

    operator = OperatorRules(tuple(host for host in hosts if host.operator))
    served = EgressProxy(EgressRules(operator), Dialer(network or HostNetwork(), resolver), made.told.append)
    policy = EgressPolicy(hosts=tuple(str(host) for host in hosts if not host.operator), repository="bakery")
    spec = DoorSpec("s-test", egress=policy, allowed=lambda: made.allowed, on_refused=made.refused.append)
    async with served.serve(made.path, lambda: spec):
        yield made


@asynccontextmanager
async def mirror(folder: Path, outside: Outside) -> AsyncIterator[Proxy]:
    """A door through which `mirror.example` leads to `outside`."""
    async with outside.listening(), proxy(folder, AllowedHost("mirror.example", outside.port, operator=True)) as door:
        yield door


def connect(port: int, host: str = "mirror.example") -> bytes:
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()


async def test_a_tunnel_to_an_allowed_host_carries_bytes_both_ways(short_path: Path) -> None:
    outside = Outside(echo=True)
    async with mirror(short_path, outside) as door:
        payload = bytes(range(256)) * 8192
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            reader, writer = await asyncio.open_unix_connection(door.path)
            writer.write(connect(outside.port))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.write(payload)
            tasks.create_task(writer.drain(), name="send")
            assert await reader.readexactly(len(payload)) == payload
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        assert [(d.owner, d.host, d.port, d.allowed) for d in door.told] == [
            ("s-test", "mirror.example", outside.port, True)
        ]


@pytest.mark.parametrize(
    ("target", "why", "rule"),
    [
        ("evil.example:443", "not on the allow-list", "evil.example"),
        ("allowed.example:22", "port 22", "allowed.example:22"),
        ("93.184.215.14:443", "IP address", ""),
        ("[::1]:443", "IP address", ""),
        ("169.254.169.254:80", "IP address", ""),
        ("localhost:443", "private network", ""),
    ],
)
async def test_refusals_say_which_host_why_and_how_to_allow_it(
    short_path: Path, target: str, why: str, rule: str
) -> None:
    async with proxy(short_path, AllowedHost("allowed.example")) as door:
        answer = await door.ask(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        first = answer.split(b"\r\n")[0].decode()
        host = target.rpartition(":")[0].strip("[]")
        assert first.startswith("HTTP/1.1 403 Outrider refused ")
        assert target in first
        assert why in first
        whom = f"outrider egress allow {rule} --repo bakery" if rule else "OUTRIDER_ALLOWED_NETWORKS"
        assert whom in answer.decode()
        assert [(refusal.allowable, refusal.target.rule) for refusal in door.refused if rule] == [(True, rule)] * bool(
            rule
        )
        assert [(d.host, d.allowed) for d in door.told] == [(host, False)]
        assert door.resolved == []


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.7", "fd00::1"])
async def test_an_allowed_name_that_leads_inside_is_refused(short_path: Path, address: str) -> None:
    async with proxy(short_path, AllowedHost("allowed.example"), answers=[address]) as door:
        answer = await door.ask(connect(443, "allowed.example"))
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"private or reserved address" in answer
        assert [d.allowed for d in door.told] == [False]


async def test_even_the_operators_host_may_not_lead_to_cloud_metadata(short_path: Path) -> None:
    own = AllowedHost("mirror.example", operator=True)
    async with proxy(short_path, own, answers=["169.254.169.254"]) as door:
        assert (await door.ask(connect(80))).startswith(b"HTTP/1.1 403 ")


async def test_a_host_is_allowed_while_the_sandbox_runs(short_path: Path) -> None:
    async with proxy(short_path) as door:
        wanted = connect(443, "more.example")
        assert (await door.ask(wanted)).startswith(b"HTTP/1.1 403 ")
        door.allowed.append("more.example")
        assert b"private or reserved" in await door.ask(wanted)
        assert [(refusal.why, refusal.allowable) for refusal in door.refused] == [
            ("it is not on the allow-list", True),
            ("its name leads to a private or reserved address", False),
        ]


async def test_a_plain_request_reaches_the_host_in_a_head_of_our_own(short_path: Path) -> None:
    outside = Outside()
    async with mirror(short_path, outside) as door:
        head = f"GET http://mirror.example:{outside.port}/a?b HTTP/1.1\r\nHost: evil.example\r\nX-Secret: 1\r\n\r\n"
        answer = await door.ask(head.encode())
        assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        host = f"mirror.example:{outside.port}".encode()
        assert outside.heads == [b"GET /a?b HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"]


async def test_a_second_request_hidden_behind_the_first_goes_nowhere(short_path: Path) -> None:
    outside = Outside()
    async with mirror(short_path, outside) as door:
        head = f"GET http://mirror.example:{outside.port}/ HTTP/1.1\r\n\r\n".encode()
        await door.ask(head, then=b"GET http://169.254.169.254/ HTTP/1.1\r\n\r\n")
        assert len(outside.heads) == 1
        assert b"169.254" not in outside.heads[0]


async def test_an_answer_to_head_has_no_body(short_path: Path) -> None:
    outside = Outside()
    async with mirror(short_path, outside) as door:
        answer = await door.ask(f"HEAD http://mirror.example:{outside.port}/ HTTP/1.1\r\n\r\n".encode())
        assert answer.endswith(b"\r\n\r\n")
        assert b"Content-Length: 5" in answer


@pytest.mark.parametrize("nonsense", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 80_000, b""])
async def test_a_host_that_does_not_speak_http(short_path: Path, nonsense: bytes) -> None:
    outside = Outside(answer=nonsense)
    async with mirror(short_path, outside) as door:
        if not nonsense:
            outside.echo = True
        answer = await door.ask(f"GET http://mirror.example:{outside.port}/ HTTP/1.1\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 502 ")


async def test_smuggled_and_oversized_heads(short_path: Path) -> None:
    async with proxy(short_path, AllowedHost("allowed.example")) as door:
        for head in (
            b"GET http://allowed.example/ HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET http://allowed.example/ HTTP/1.1\r\nX: a\nHost: evil.example\r\n\r\n",
            b"GET http://allowed.example/ HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
            b"GET http://allowed.example/ HTTP/1.1\r\nX: " + b"y" * 200_000,
            b"\x16\x03\x01\x00\r\n\r\n",
        ):
            assert (await door.ask(head)).startswith(b"HTTP/1.1 400 ")
            told = door.told.pop()
            assert (told.owner, told.host, told.allowed, bool(told.why)) == ("s-test", "unread", False, True)
        assert (door.resolved, door.told) == ([], [])


async def test_a_head_that_never_ends_is_cut_off(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "HEAD_SECONDS", 0.1)
    async with proxy(short_path) as door, asyncio.timeout(10):
        reader, writer = await asyncio.open_unix_connection(door.path)
        writer.write(b"CONNECT allowed.exa")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"took longer" in answer
        writer.close()


async def test_no_more_connections_than_the_limit(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "CONNECTION_LIMIT", 1)
    async with proxy(short_path) as door, asyncio.timeout(10):
        first_reader, first = await asyncio.open_unix_connection(door.path)
        first.write(b"CONNECT a")
        assert (await door.ask(b"")).startswith(b"HTTP/1.1 503 ")
        assert [(told.host, told.allowed) for told in door.told] == [("unread", False)]
        first.close()
        assert await first_reader.read() == b""


async def test_closing_the_door_ends_its_tunnels(short_path: Path) -> None:
    outside = Outside(echo=True)
    async with asyncio.timeout(10):
        async with mirror(short_path, outside) as door:
            reader, writer = await asyncio.open_unix_connection(door.path)
            writer.write(connect(outside.port))
            await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(OSError, match=r"refused|No such file"):
            await asyncio.open_unix_connection(door.path)


async def test_a_door_without_egress_refuses_everything(short_path: Path) -> None:
    operator = OperatorRules((AllowedHost("allowed.example", operator=True),))
    served = EgressProxy(EgressRules(operator), Dialer(HostNetwork()))
    async with served.serve(short_path / "e", lambda: DoorSpec("s-test")):
        answer = await Proxy(short_path / "e").ask(connect(443, "allowed.example"))
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"no way out" in answer


@pytest.mark.parametrize("status", [b"200 OK", b"407 Proxy Authentication Required"])
async def test_a_tunnel_through_the_operators_proxy(short_path: Path, status: bytes) -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 " + status + b"\r\n\r\n")
        writer.write(await reader.read(5))
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        secret = "Basic " + base64.b64encode(b"me:canary").decode()
        upstream = UpstreamProxy("proxy.corp.example", server.sockets[0].getsockname()[1], secret)
        network = HostNetwork(https_proxy=upstream)
        async with proxy(short_path, AllowedHost("allowed.example"), network=network) as door:
            answer = await door.ask(connect(443, "allowed.example"), then=b"12345")
            sent = f"CONNECT allowed.example:443 HTTP/1.1\r\nHost: allowed.example:443\r\nProxy-Authorization: {secret}"
            assert heads == [sent.encode() + b"\r\n\r\n"]
            assert door.resolved == ["proxy.corp.example"]
            if status.startswith(b"200"):
                assert answer.endswith(b"\r\n\r\n12345")
            else:
                assert answer.startswith(b"HTTP/1.1 502 ")
                assert b"refused with 407" in answer
            assert b"canary" not in answer
            assert secret.encode() not in answer


async def test_plain_http_through_the_operators_proxy(short_path: Path) -> None:
    async with Outside().listening() as upstream:
        network = HostNetwork(http_proxy=UpstreamProxy("proxy.corp.example", upstream.port))
        async with proxy(short_path, AllowedHost("allowed.example"), network=network) as door:
            answer = await door.ask(b"GET http://allowed.example/x HTTP/1.1\r\n\r\n")
            assert answer.endswith(b"hello")
            assert upstream.heads[0].startswith(b"GET http://allowed.example/x HTTP/1.1\r\nHost: allowed.example\r\n")


async def test_the_machines_own_resolver() -> None:
    assert set(await resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(Unreachable, match="cannot be resolved"):
        await Dialer(HostNetwork()).connect(Target("no-such-host.invalid", 443), OperatorRules(), anywhere=True)


async def test_a_host_that_does_not_answer(short_path: Path) -> None:
    async with Outside().listening() as outside:
        port = outside.port
    async with proxy(short_path, AllowedHost("mirror.example", port, operator=True)) as door:
        answer = await door.ask(connect(port))
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert [d.allowed for d in door.told] == [True]
        assert "nothing answers" in door.told[0].why
