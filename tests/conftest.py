"""Fixtures that more than one folder of tests needs."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from outrider.fleet.base_image import BaseImage
from outrider.fleet.toolbox import Toolbox
from outrider.model.ids import LayerId
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.settings import Settings
from outrider.testing.base_layers import BaseLayers, copy_layer
from tests.linked_layers import link_layer

pytest_plugins = ["tests.docker_fixtures", "tests.forked_scripts", "tests.one_sandbox"]

settings.register_profile("outrider", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outrider")
"""How long an example takes says more of the machine than of the code."""

ROOT = Path(os.environ.get("OUTRIDER_TEST_STATE") or Path(__file__).resolve().parents[1] / ".state" / "test")
USER = ROOT / f"uid-{os.geteuid()}"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
STATE = USER / f"sandboxes{WORKER and f'-{WORKER}'}"
"""Kept between runs, one for each user and each worker of a parallel run: building the base image takes half a minute.
Two runs at once need a folder each: tests destroy every sandbox that they find in it."""

HANDED = ROOT / "handed"
"""Layers as tars, for the plain user as whom parts of the suite run once more."""

DOCKER = ROOT / f"docker{WORKER}"
"""Where the tests' own Docker daemon keeps what it has, one for each worker."""


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A fresh folder whose path leaves room for a Unix socket: pytest's own are often too long."""
    with tempfile.TemporaryDirectory(prefix="o") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def base_layers() -> BaseLayers:
    """The layers of `namespaces_provider`, built on first use. Fails where this machine cannot run sandboxes."""
    return asyncio.run(_ensure())


@pytest.fixture(scope="session")
def make_namespaces_provider(base_layers: BaseLayers) -> Callable[[], NamespaceProvider]:
    """Gives a fresh provider object over the one state folder, as another process would have it."""
    del base_layers
    return lambda: NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())


@pytest.fixture
def namespaces_provider(make_namespaces_provider: Callable[[], NamespaceProvider]) -> NamespaceProvider:
    """A provider whose state holds the base layers."""
    return make_namespaces_provider()


async def _ensure() -> BaseLayers:
    provider = NamespaceProvider(STATE, SystemClock())
    base, toolbox = BaseImage(), Toolbox()
    with _one_worker_at_a_time():
        for layer in (base.layer_id(), toolbox.layer_id()):
            await _take_over(provider, layer)
        layers = BaseLayers(await base.ensure(provider), await toolbox.ensure(provider))
        await provider.settle()
        return layers


@contextmanager
def _one_worker_at_a_time() -> Iterator[None]:
    """Who comes second finds the layers made."""
    USER.mkdir(parents=True, exist_ok=True)
    with (USER / "layers.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _take_over(provider: NamespaceProvider, layer: LayerId) -> None:
    """Copy a layer that another worker, or the set-up, has made already."""
    if await provider.has_layer(layer):
        return
    for folder in USER.glob("sandboxes*"):
        worker = NamespaceProvider(folder, SystemClock())
        if folder != STATE and await worker.has_layer(layer):
            await link_layer(layer, worker, provider)
            await copy_layer(layer, worker, provider, USER)
            return
    for tar in HANDED.glob(f"{layer}.tar"):
        await provider.add_layer(layer, tar)
        return
    home = NamespaceProvider(Settings.read().home / "sandboxes", SystemClock())
    if await home.has_layer(layer):
        await copy_layer(layer, home, provider, USER)
