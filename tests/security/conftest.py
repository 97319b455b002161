"""Sandboxes to attack from inside, of every provider that this machine can run."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import LimitTier, SandboxHandle, SandboxSpec
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.sandboxes.docker.provider import DockerProvider
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from tests.conftest import DOCKER, STATE

Opened = Callable[..., AbstractAsyncContextManager[SandboxHandle]]

SWEEP = "find /workspace /home/agent /tmp /dev/shm -mindepth 1 -delete"


@dataclass(frozen=True, slots=True)
class Target:
    """A provider under attack: what its sandboxes are made of, what limits them, and where the host keeps them."""

    make: Callable[[], SandboxProvider]
    layers: BaseLayers
    tier: LimitTier
    state: Path

    def spec(self, **fields: object) -> SandboxSpec:
        """A sandbox of it; `fields` are those of a `SandboxSpec`."""
        given = {"id": new_id("sb"), "layers": (self.layers.base,), "toolbox": self.layers.toolbox, **fields}
        return SandboxSpec.model_validate(given)


@pytest.fixture(scope="session")
def namespaces_target(base_layers: BaseLayers, make_namespaces_provider: Callable[[], NamespaceProvider]) -> Target:
    return Target(make_namespaces_provider, base_layers, make_namespaces_provider().tier, STATE)


@pytest.fixture(scope="session")
def docker_target(docker_base: LayerId, make_docker_provider: Callable[[], DockerProvider]) -> Target:
    """Its toolbox is the base once more: what is in it does not matter here."""
    return Target(make_docker_provider, BaseLayers(docker_base, docker_base), LimitTier.CGROUP, DOCKER)


@pytest.fixture(params=["namespaces", "docker"])
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(f"{request.param}_target")
    return found


@pytest.fixture
def provider(target: Target) -> SandboxProvider:
    return target.make()


@pytest.fixture
def opened(target: Target, provider: SandboxProvider) -> Opened:
    """Makes a sandbox for as long as a context lives; `fields` are those of a `SandboxSpec`."""

    @asynccontextmanager
    async def make(**fields: object) -> AsyncIterator[SandboxHandle]:
        handle = await provider.create(target.spec(**fields))
        try:
            yield handle
        finally:
            await provider.destroy(handle)

    return make


@pytest.fixture
async def sandbox(opened: Opened) -> AsyncIterator[SandboxHandle]:
    """One of the test's own, to be broken."""
    async with opened() as handle:
        yield handle


@pytest.fixture(scope="module")
def shared() -> Iterator[Callable[[Target], SandboxHandle]]:
    """Gives the one sandbox of a target that the attacks of a file share: they do not break it."""
    made: dict[Path, tuple[Target, SandboxHandle]] = {}

    def of(target: Target) -> SandboxHandle:
        if target.state not in made:
            spec = target.spec(id=SandboxId(new_id("sb")))
            made[target.state] = target, asyncio.run(target.make().create(spec))
        return made[target.state][1]

    yield of
    for target, handle in made.values():
        asyncio.run(target.make().destroy(handle))


@pytest.fixture
def shared_sandbox(target: Target, shared: Callable[[Target], SandboxHandle]) -> SandboxHandle:
    return shared(target)


@pytest.fixture
async def guest(provider: SandboxProvider, shared_sandbox: SandboxHandle) -> AsyncIterator[Guest]:
    """The inside of a sandbox that is swept after each test."""
    async with await provider.connect(shared_sandbox) as guest:
        yield guest
        await guest.kill_everything()
        await guest.run(ExecSpec(argv=["sh", "-c", SWEEP], cwd="/"))
