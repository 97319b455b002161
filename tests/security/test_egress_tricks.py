"""Tricks at the egress proxy, played by a script in a real sandbox: spellings, ports, rebinding, smuggling."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from inside import python

from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressDecision, EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.network import HostNetwork
from outrider.model.egress import AllowedHost, EgressPolicy
from outrider.model.sandbox import EGRESS_PORT
from outrider.ports.broker import DoorSpec
from outrider.ports.sandbox import Guest

pytestmark = pytest.mark.sandbox

PORTS = itertools.count(EGRESS_PORT)
"""A port for each test: they share a sandbox, whose sshd may hold the last one for a moment longer."""

SAY = """
import json, socket, sys
def say(head):
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as proxy:
        proxy.sendall(head)
        proxy.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := proxy.recv(65536):
            answer += piece
        return answer.split(b" ", 2)[1].decode() if answer else "closed"
"""


@dataclass
class Outside:
    """A server on the host's loopback, as the control plane is, with what was asked of it, and a resolver's names."""

    heads: list[bytes] = field(default_factory=list)
    names: dict[str, Sequence[str]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    told: list[EgressDecision] = field(default_factory=list)
    port: int = 0
    door: int = 0
    """Where the guest finds the proxy."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.resolved.append(host)
        return self.names.get(host, ["127.0.0.1"])


@pytest.fixture
async def outside(guest: Guest, short_path: Path) -> AsyncIterator[Outside]:
    """A guest whose egress port leads to a proxy that allows `ok.example`, on the port of the server, and three more
    names by what people allowed."""
    made = Outside()
    async with await asyncio.start_server(made.talk, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        operator = OperatorRules((AllowedHost("ok.example", made.port, operator=True),))
        proxy = EgressProxy(EgressRules(operator), Dialer(HostNetwork(), made.resolve), made.told.append)
        allowed = ("rebind.example", ".wild.example", f"port.example:{made.port}")
        spec = DoorSpec("s-attack", egress=EgressPolicy(presets=(), hosts=allowed))
        async with proxy.serve(short_path / "e", lambda: spec):
            made.door = next(PORTS)
            await guest.forward(made.door, short_path / "e")
            yield made


async def answers(guest: Guest, outside: Outside, heads: Sequence[bytes]) -> list[str]:
    """The status that each head was answered with."""
    return json.loads(
        await python(guest, f"PORT = {outside.door}\n{SAY}\nprint(json.dumps([say(head) for head in {list(heads)!r}]))")
    )


SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "2130706433", "0", "0.0.0.0",
    "127.0.0.1.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]",
    "[64:ff9b::7f00:1]", "[fe80::1%25lo]", "localhost", "LOCALHOST", "localhost.", "x.localhost", "ip6-localhost",
    "169.254.169.254", "2852039166", "[fd00:ec2::254]", "metadata.google.internal", "100.100.100.200", "10.0.0.1",
    "outrider.local", "ok.example@127.0.0.1", "127.0.0.1%00.ok.example", "ok.example%2f127.0.0.1",
    "\u2460\u2461\u2466.0.0.1", "127\u30020\u30020\u30021", "ok.example.evil.example", "wild.example",
    "evilwild.example",
]  # fmt: skip


async def test_no_spelling_of_an_address_leads_to_the_host(guest: Guest, outside: Outside) -> None:
    heads = [f"CONNECT {host}:{outside.port} HTTP/1.1\r\n\r\n".encode() for host in SPELLINGS]
    heads += [f"GET http://{host}:{outside.port}/ HTTP/1.1\r\n\r\n".encode() for host in SPELLINGS]
    heads += [f"CONNECT {host}:80 HTTP/1.1\r\n\r\n".encode() for host in SPELLINGS]
    told = dict(zip(heads, await answers(guest, outside, heads), strict=True))
    assert {head: status for head, status in told.items() if status not in ("400", "403")} == {}
    assert outside.heads == []
    assert outside.resolved == []


async def test_other_ports_of_an_allowed_host_are_shut(guest: Guest, outside: Outside) -> None:
    ports = ["22", "25", "53", "8080", "0", "65536", "-1", "4180", "443x", "", "080", "4294967739"]
    heads = [f"CONNECT rebind.example:{port} HTTP/1.1\r\n\r\n".encode() for port in ports]
    told = dict(zip(ports, await answers(guest, outside, heads), strict=True))
    assert {port: status for port, status in told.items() if status not in ("400", "403")} == {}
    assert outside.heads == []


async def test_a_name_that_was_allowed_and_leads_inside_is_refused(guest: Guest, outside: Outside) -> None:
    """The resolver is the attacker's own: the same name leads somewhere else at each question."""
    addresses = ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0",
                 "fd00:ec2::254", "168.63.129.16", "192.168.0.1", "100.64.0.1", "2002:7f00:1::1"]  # fmt: skip
    names = {f"n{number}.wild.example": [address] for number, address in enumerate(addresses)}
    outside.names = {**names, "rebind.example": addresses}
    heads = [f"CONNECT {name}:443 HTTP/1.1\r\n\r\n".encode() for name in outside.names]
    heads.append(f"CONNECT port.example:{outside.port} HTTP/1.1\r\n\r\n".encode())
    assert set(await answers(guest, outside, heads)) == {"403"}
    assert outside.heads == []
    assert len(outside.resolved) == len(heads)  # once a connection: what was checked is what is connected to


SMUGGLED = [
    b"GET http://ok.example:PORT/ HTTP/1.1\r\nHost: ok.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil",
    b"GET http://ok.example:PORT/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    b"GET http://ok.example:PORT/ HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET http://ok.example:PORT/ HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
    b"GET http://ok.example:PORT/ HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    b"GET http://ok.example:PORT/ HTTP/1.1\nHost: evil\n\n\r\n\r\n",
    b"GET http://ok.example:PORT/ HTTP/1.1\r\nX: a\nHost: 127.0.0.1\r\n\r\n",
    b"GET http://ok.example:PORT/\x00 HTTP/1.1\r\n\r\n",
    b"GET http://ok.example:PORT/ x HTTP/1.1\r\n\r\n",
    b"GET http://ok.example:PORT/ HTTP/2.0\r\n\r\n",
    b"GET /evil HTTP/1.1\r\nHost: ok.example\r\n\r\n",
    b"GET https://ok.example:PORT/ HTTP/1.1\r\n\r\n",
    b"GET ftp://ok.example/ HTTP/1.1\r\n\r\n",
    b"GET file:///etc/passwd HTTP/1.1\r\n\r\n",
    b"GET http://ok.example:PORT\\@127.0.0.1/ HTTP/1.1\r\n\r\n",
    b"GET http://user@ok.example:PORT/ HTTP/1.1\r\n\r\n",
    b"POST http://ok.example:PORT/ HTTP/1.1\r\n\r\n",
    b"PUT http://ok.example:PORT/ HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
    b"CONNECT http://ok.example:PORT/ HTTP/1.1\r\n\r\n",
    b"CONNECT ok.example:PORT/x HTTP/1.1\r\n\r\n",
    b"CONNECT ok.example:PORT HTTP/1.1\r\nContent-Length: 4\r\n\r\nevil",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x05\x01\x00\r\n\r\n",
    b"\x16\x03\x01\x02\x00\r\n\r\n",
]


async def test_what_has_two_readings_is_refused(guest: Guest, outside: Outside) -> None:
    heads = [head.replace(b"PORT", str(outside.port).encode()) for head in SMUGGLED]
    told = dict(zip(heads, await answers(guest, outside, heads), strict=True))
    assert {head: status for head, status in told.items() if status not in ("400", "403")} == {}
    assert outside.heads == []


async def test_an_absolute_address_counts_and_no_header_does(guest: Guest, outside: Outside) -> None:
    where = f"ok.example:{outside.port}".encode()
    head = (
        b"GET http://" + where + b"/a HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: x\r\n"
    )
    head += b"Proxy-Authorization: y\r\nConnection: upgrade\r\nUpgrade: h2c\r\nCookie: z\r\n\r\n"
    assert await answers(guest, outside, [head + b"GET http://" + where + b"/second HTTP/1.1\r\n\r\n"]) == ["200"]
    assert outside.heads == [b"GET /a HTTP/1.1\r\nHost: " + where + b"\r\nConnection: close\r\n\r\n"]


async def test_a_crowd_at_the_proxy_harms_nobody_else(guest: Guest, outside: Outside) -> None:
    """More connections than a door takes, each of which never ends its head: the next that ends is answered."""
    script = f"""PORT = {outside.door}
{SAY}
crowd = []
for _ in range(200):
    one = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    one.sendall(b"GET http://ok.exam")
    crowd.append(one)
for one in crowd:
    one.close()
answers = []
while "403" not in answers and len(answers) < 200:
    answers.append(say(b"CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n"))
print(answers[-1])
"""
    assert (await python(guest, script)).strip() == "403"
    assert await answers(guest, outside, [b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n"]) == ["403"]
