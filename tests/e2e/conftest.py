"""A deployment for a test: a fresh home over the layers that all tests share."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from outrider.app.home import Home
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from tests.e2e.deployment import Deployment

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"


@pytest.fixture
def artifacts() -> Path:
    """Where screenshots are kept for people to look at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest_asyncio.fixture
async def make_deployment(
    base_layers: BaseLayers, namespaces_provider: NamespaceProvider, tmp_path: Path
) -> AsyncIterator[Callable[..., Deployment]]:
    """Makes deployments, and ends them and all their sandboxes with the test."""
    made: list[Deployment] = []

    def make(name: str = "home", **variables: str) -> Deployment:
        home = tmp_path / name
        home.mkdir(mode=0o700)
        (home / "sandboxes").symlink_to(namespaces_provider.state.path)
        made.append(Deployment(Home(home), variables))
        return made[-1]

    yield make
    for deployment in made:
        await deployment.stop()
    for info in await namespaces_provider.list({}):
        await namespaces_provider.destroy(info.handle)


@pytest_asyncio.fixture
async def deployment(make_deployment: Callable[..., Deployment]) -> Deployment:
    """A running deployment."""
    deployment = make_deployment()
    await deployment.start()
    return deployment
