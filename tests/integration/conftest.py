"""The outside, for what needs Debian packages or an image that is no base of ours."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.broker.door import UnixBroker
from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.gateway import LlmGateway
from outrider.broker.network import split_url
from outrider.broker.package_clients import ClientFiles, PackageClients
from outrider.fleet.base_image import BaseImage
from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.images.foreign_base import ForeignBases
from outrider.fleet.images.machine import Images
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.toolbox import Toolbox
from outrider.ports.clock import SystemClock
from outrider.proof.runner import Prover
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.git_folder import GitFolder
from outrider.testing.memory_store import MemoryBlobs
from outrider.tools.mcp import build_tools_app


@dataclass(frozen=True)
class Outside:
    """Images and a prover that reach what this machine's package clients reach."""

    images: Images
    prover: Prover
    git: GitFolder
    provider: NamespaceProvider
    sandboxes: CleanSandboxes
    oci: Path
    """The deployment's folder of OCI layouts and archives."""
    foreign: ForeignBases


async def answers(clients: PackageClients) -> bool:
    """Whether the machine's own Debian mirror can be connected to, or is behind a proxy."""
    mirror = split_url(clients.apt[0].uri if clients.apt else "http://deb.debian.org")
    if mirror is None or mirror.hostname is None:
        return False
    if clients.network.proxy_for(mirror.scheme, mirror.hostname):
        return True
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(mirror.hostname, mirror.port or 80)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


@pytest.fixture
async def outside(namespaces_provider: NamespaceProvider, tmp_path: Path, short_path: Path) -> AsyncIterator[Outside]:
    clients = PackageClients.read(os.environ, ClientFiles.usual(Path.home()))
    if not await answers(clients):
        pytest.skip("this machine reaches no Debian mirror")
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(LlmGateway([]))
        egress = EgressProxy(EgressRules(OperatorRules(clients.hosts())), Dialer(clients.network))
        broker = await stack.enter_async_context(UnixBroker(short_path, gateway, egress, build_tools_app, clients))
        sandboxes = CleanSandboxes(namespaces_provider, broker, SandboxSlots(2))
        oci = tmp_path / "oci"
        foreign = ForeignBases(oci)
        images = Images(sandboxes, BaseImage(), Toolbox(), foreign)
        git = GitFolder(tmp_path / "q.git")
        prover = Prover(sandboxes, images, git, MemoryBlobs(), SystemClock())
        yield Outside(images, prover, git, namespaces_provider, sandboxes, oci, foreign)
