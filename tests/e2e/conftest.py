"""A deployment for a test: a fresh home over the layers that all tests share."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from outrider.app.home import Home
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from tests.conftest import STATE
from tests.e2e.deployment import Deployment
from tests.forks import Forks, forks

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
SCRIPTS = Path(__file__).parent / "scripts"
"""What the rehearsal model plays in these tests, beside the demo."""


collect_ignore = ["repositories"]
"""Fixture repositories: their tests run in sandboxes, not here."""


@pytest.fixture
def artifacts() -> Path:
    """Where screenshots are kept for people to look at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture(scope="session")
def preloaded() -> Iterator[Forks]:
    """What starts servers and commands fast."""
    with forks() as made:
        yield made


@pytest.fixture(scope="module")
def starter(preloaded: Forks) -> Forks | None:
    """How deployments start their programs. A module that tests the start itself gives None: as people do it."""
    return preloaded


@pytest_asyncio.fixture
async def make_deployment(
    base_layers: BaseLayers, namespaces_provider: NamespaceProvider, starter: Forks | None, tmp_path: Path
) -> AsyncIterator[Callable[..., Deployment]]:
    """Makes deployments, and ends them and all their sandboxes with the test."""
    async with deployments(namespaces_provider, starter, tmp_path) as make:
        yield make


@pytest_asyncio.fixture
async def deployment(make_deployment: Callable[..., Deployment]) -> Deployment:
    """A running deployment."""
    deployment = make_deployment()
    await deployment.start()
    return deployment


@pytest.fixture(scope="module")
def shared_variables() -> dict[str, str]:
    """Settings of `shared_deployment`; a module says its own."""
    return {"OUTRIDER_REHEARSAL_SCRIPTS": str(SCRIPTS)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_deployment(
    base_layers: BaseLayers,
    shared_variables: dict[str, str],
    starter: Forks | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Deployment]:
    """A running deployment for all tests of a module: none of them may harm what the others see of it."""
    provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
    async with deployments(provider, starter, tmp_path_factory.mktemp("shared")) as make:
        deployment = make(**shared_variables)
        await deployment.start()
        yield deployment


@asynccontextmanager
async def deployments(
    provider: NamespaceProvider, starter: Forks | None, folder: Path
) -> AsyncIterator[Callable[..., Deployment]]:
    """Makes deployments over the sandboxes of a provider, and ends all of them at the end."""
    made: list[Deployment] = []

    def make(name: str = "home", prefix: tuple[str, ...] = (), **variables: str) -> Deployment:
        home = folder / name
        home.mkdir(mode=0o700)
        (home / "sandboxes").symlink_to(provider.state.path)
        made.append(Deployment(Home(home), variables, prefix, forks=starter))
        return made[-1]

    try:
        yield make
    finally:
        for deployment in made:
            await deployment.stop()
        for info in await provider.list({}):
            await provider.destroy(info.handle)
