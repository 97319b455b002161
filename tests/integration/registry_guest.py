"""What a guest's package client is given, and a proxy in front of it, without any sandbox."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressDecision, EgressProxy
from outrider.broker.egress.pump import splice
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.package_clients import GUEST_APT_CONF, GUEST_CA, ClientFiles, PackageClients
from outrider.model.egress import EgressPolicy
from outrider.ports.broker import DoorSpec

PROXY = "http://127.0.0.1:4181"


@dataclass
class Guest:
    """A package client's view: the guest's environment and files, under a folder, with the port of this test."""

    folder: Path
    environment: dict[str, str]
    files: dict[str, bytes]
    told: list[EgressDecision] = field(default_factory=list)

    async def run(self, *argv: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(180):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    def reached(self) -> set[str]:
        return {decision.host for decision in self.told if decision.allowed}


@asynccontextmanager
async def guest(
    short: Path, folder: Path, environment: Mapping[str, str] | None = None, files: ClientFiles | None = None
) -> AsyncIterator[Guest]:
    """A guest of a machine with this environment and these settings; of this machine where none are given."""
    environment, files = environment or dict(os.environ), files or ClientFiles.usual(Path.home())
    clients = await asyncio.to_thread(PackageClients.read, environment, files)
    made = Guest(folder, clients.guest_environment(), clients.guest_files())
    proxy = EgressProxy(EgressRules(OperatorRules(clients.hosts())), Dialer(clients.network), made.told.append)
    handling: set[asyncio.Task[object]] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handling.add(task)
        inside = await asyncio.open_unix_connection(short / "e")
        await splice((reader, writer), inside)
        for end in (writer, inside[1]):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async with (
        proxy.serve(short / "e", lambda: DoorSpec("s-test", egress=EgressPolicy())),
        await asyncio.start_server(forward, "127.0.0.1", 0) as server,
    ):
        here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ca = folder / "ca.pem"
        ca.write_bytes(made.files.get(GUEST_CA, b""))
        placed = {GUEST_CA: str(ca), PROXY: here}
        made.environment = {name: placed.get(value, value) for name, value in made.environment.items()}
        conf = made.files[GUEST_APT_CONF].decode().replace(PROXY, here).replace(GUEST_CA, str(ca))
        made.files[GUEST_APT_CONF] = conf.encode()
        yield made
    if handling:
        await asyncio.wait(handling, timeout=10)
