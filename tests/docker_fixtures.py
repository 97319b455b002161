"""A Docker daemon for the tests of more than one folder; whoever has no use for it starts none."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from outrider.model.ids import LayerId
from outrider.ports.clock import SystemClock
from outrider.sandboxes.docker.provider import DockerProvider
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers, copy_layer
from tests.conftest import DOCKER, ROOT, STATE
from tests.docker_daemon import NoDaemonError, docker_daemon


@pytest.fixture(scope="session")
def daemon() -> Iterator[Path]:
    """The socket of a daemon of the tests' own."""
    try:
        with docker_daemon(DOCKER) as socket:
            yield socket
    except NoDaemonError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def make_docker_provider(daemon: Path) -> Callable[[], DockerProvider]:
    """Gives a fresh provider object over the one state folder."""
    return lambda: DockerProvider(DOCKER / "state", SystemClock(), socket=daemon)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def docker_base(make_docker_provider: Callable[[], DockerProvider], base_layers: BaseLayers) -> LayerId:
    """The base image of the other tests."""
    provider = make_docker_provider()
    await copy_layer(base_layers.base, NamespaceProvider(STATE, SystemClock()), provider, ROOT)
    return base_layers.base


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def docker_toolbox(make_docker_provider: Callable[[], DockerProvider], base_layers: BaseLayers) -> LayerId:
    """The toolbox, for whoever needs the real engine."""
    await copy_layer(base_layers.toolbox, NamespaceProvider(STATE, SystemClock()), make_docker_provider(), ROOT)
    return base_layers.toolbox
