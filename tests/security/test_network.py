"""The network: the host's loopback, metadata addresses, the control plane, and other sessions' doors."""

import socket
from pathlib import Path

import pytest
from conftest import Opened
from inside import CANARY, python

from outrider.model.sandbox import BROKER_PORT, EGRESS_PORT
from outrider.ports.sandbox import Guest, SandboxProvider

pytestmark = pytest.mark.sandbox


async def test_there_is_no_way_out_of_the_network(guest: Guest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"""
import socket
for target in [("127.0.0.1", {port}), ("10.0.0.1", 80), ("169.254.169.254", 80), ("1.1.1.1", 53), ("::1", {port})]:
    try:
        socket.create_connection(target, timeout=2)
        print("connected", target)
    except OSError as error:
        print("refused")
try:
    print(socket.getaddrinfo("deb.debian.org", 80))
except OSError:
    print("unresolved")
print([name for _, name in socket.if_nameindex()])
"""
        answers = (await python(guest, script)).splitlines()
    assert answers == ["refused"] * 5 + ["unresolved", "['lo']"]


async def test_abstract_sockets_of_the_host_are_out_of_reach(guest: Guest) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{CANARY}")
        server.listen()
        script = f"""
import socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0{CANARY}")
    print("connected")
except OSError:
    print("refused")
"""
        assert await python(guest, script) == "refused\n"


async def test_another_sessions_broker_ports_are_out_of_reach(
    provider: SandboxProvider, opened: Opened, guest: Guest, short_path: Path
) -> None:
    """The same two ports in every sandbox, and each leads to its own door alone."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(short_path / "door"))
        door.listen()
        door.setblocking(False)
        async with opened() as other, await provider.connect(other) as neighbour:
            for port in (BROKER_PORT, EGRESS_PORT):
                await neighbour.forward(port, short_path / "door")
            script = f"""
import socket
for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "127.1.2.3"):
    for port in ({BROKER_PORT}, {EGRESS_PORT}):
        try:
            socket.create_connection((host, port), timeout=2)
            print("connected", host, port)
        except OSError:
            pass
try:
    socket.socket(socket.AF_UNIX).connect("{short_path}/door")
    print("connected to the socket")
except OSError:
    pass
"""
            assert await python(guest, script) == ""
        with pytest.raises(BlockingIOError):
            door.accept()


async def test_no_interface_route_or_raw_socket_can_be_made(guest: Guest) -> None:
    script = """
import fcntl, socket, struct
for family, kind, proto in [(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP), (17, socket.SOCK_RAW, 0x300),
                            (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)]:
    try:
        socket.socket(family, kind, proto)
        print("raw", family)
    except OSError:
        pass
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        fcntl.ioctl(plain, 0x8914, struct.pack("16sh14x", b"lo", 0))
    print("took lo down")
except OSError:
    pass
try:
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    link = struct.pack("=BBHiII", 0, 0, 0, 0, 1, 1) + struct.pack("=HH8s", 12, 3, b"dummy0\\0\\0")
    route.send(struct.pack("=IHHII", 16 + len(link), 16, 0x605, 1, 0) + link)
    error = struct.unpack("=i", route.recv(4096)[16:20])[0]
    print("made a link" if error == 0 else "", end="")
except OSError:
    pass
"""
    assert await python(guest, script) == ""
