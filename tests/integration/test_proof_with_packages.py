"""Setups that need the outside: Debian packages, and a detected Python project. Skipped where no mirror answers."""

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
from outrider.fleet.images.layers import layer_id
from outrider.fleet.images.machine import Images
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.toolbox import Toolbox
from outrider.model.errors import SandboxError
from outrider.model.ids import ProofId, SessionId
from outrider.model.image import MachineWants
from outrider.model.proof import Phase, ProofVerdict
from outrider.ports.clock import SystemClock
from outrider.proof.runner import ProofEvent, ProofRequest, Prover
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.git_folder import GitFolder
from outrider.testing.memory_store import MemoryBlobs
from outrider.tools.mcp import build_tools_app

pytestmark = pytest.mark.sandbox

SESSION = SessionId("s-aaaaaaaaaa")


@dataclass(frozen=True)
class Outside:
    """Images and a prover that reach what this machine's package clients reach."""

    images: Images
    prover: Prover
    git: GitFolder
    provider: NamespaceProvider


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
        images, git = Images(sandboxes, BaseImage(), Toolbox()), GitFolder(tmp_path / "q.git")
        prover = Prover(sandboxes, images, git, MemoryBlobs(), SystemClock())
        yield Outside(images, prover, git, namespaces_provider)


async def silent(event: ProofEvent) -> None:
    del event


async def test_debian_packages_come_with_the_image(outside: Outside) -> None:
    base = BaseImage().layer_id()
    await outside.provider.delete_layer(layer_id("packages", base, "hello"))
    check = '[[checks]]\nname = "tests"\ncommand = "hello && test -z \\"$(ls /var/lib/apt/lists)\\""\n'
    commit = await outside.git.commit({"outrider.toml": 'packages = ["hello"]\n' + check, "a": "1"})
    head = await outside.git.commit({"a": "2"}, commit)
    request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SESSION, "demo", commit, head)
    proof = await outside.prover.prove(request, silent)
    assert proof.verdict is ProofVerdict.STILL_GREEN, proof
    assert proof.results[-1].tail == "Hello, world!"
    with pytest.raises(SandboxError, match="Unable to locate package no-such-package-anywhere"):
        await outside.images.prepare(MachineWants(packages=("no-such-package-anywhere",)), lambda _line: None)


async def test_a_python_project_without_a_recipe_is_set_up_and_proved(outside: Outside) -> None:
    pyproject = (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "adder"\nversion = "1"\n[project.optional-dependencies]\ntest = ["pytest"]\n'
    )
    base = await outside.git.commit({
        "pyproject.toml": pyproject,
        ".gitignore": ".venv/\n",
        "src/adder/__init__.py": "def add(a, b):\n    return a - b\n",
        "tests/test_zero.py": "from adder import add\n\ndef test_zero():\n    assert add(1, 0) == 1\n",
    })  # fmt: skip
    head = await outside.git.commit({
        "src/adder/__init__.py": "def add(a, b):\n    return a + b\n",
        "tests/test_sum.py": "from adder import add\n\ndef test_sum():\n    assert add(2, 2) == 4\n",
    }, base)  # fmt: skip
    request = ProofRequest(ProofId("proof-aaaaaaaaaa"), SESSION, "demo", base, head)
    proof = await outside.prover.prove(request, silent)
    assert proof.verdict is ProofVerdict.FIX_PROVED, proof.model_dump_json(indent=1)
    assert [case.case for case in proof.red_to_green] == ["tests.test_sum::test_sum"]
    assert [result.phase for result in proof.results] == list(Phase)
    assert proof.recipe_source == "pyproject.toml"
