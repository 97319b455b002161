"""A Docker daemon for the tests of this folder."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from outrider.model.ids import LayerId
from outrider.ports.clock import SystemClock
from outrider.sandboxes.docker.provider import DockerProvider
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from tests.conftest import ROOT, STATE
from tests.docker_daemon import NoDaemonError, docker_daemon


@pytest.fixture(scope="session")
def daemon() -> Iterator[Path]:
    """The socket of a daemon of the tests' own."""
    try:
        with docker_daemon(ROOT / "docker") as socket:
            yield socket
    except NoDaemonError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def make_docker_provider(daemon: Path) -> Callable[[], DockerProvider]:
    """Gives a fresh provider object over the one state folder."""
    return lambda: DockerProvider(ROOT / "docker" / "state", SystemClock(), socket=daemon)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def docker_base(make_docker_provider: Callable[[], DockerProvider], base_layers: BaseLayers) -> LayerId:
    """The base image of the other tests."""
    provider = make_docker_provider()
    if not await provider.has_layer(base_layers.base):
        with tempfile.TemporaryDirectory(dir=ROOT) as folder:
            tar = Path(folder, "base.tar")
            with await asyncio.to_thread(tar.open, "wb") as file:
                async for chunk in NamespaceProvider(STATE, SystemClock()).export_layer(base_layers.base):
                    file.write(chunk)
            await provider.add_layer(base_layers.base, tar)
    return base_layers.base
