"""Fixtures that more than one folder of tests needs."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.fleet.base_image import BaseImage
from outrider.fleet.toolbox import Toolbox
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider

STATE = Path(__file__).resolve().parents[1] / ".state" / "test" / "sandboxes"
"""Kept between runs: building the base image takes half a minute."""


@dataclass(frozen=True, slots=True)
class BaseLayers:
    """What every sandbox is made of."""

    base: LayerId
    toolbox: LayerId


@pytest.fixture(scope="session")
def base_layers() -> BaseLayers:
    """The layers of `namespaces_provider`, built on first use. Skips where this machine cannot run sandboxes."""
    return asyncio.run(_ensure())


@pytest.fixture
async def namespaces_provider(base_layers: BaseLayers) -> NamespaceProvider:
    """A fresh provider object over the shared state folder, with the base layers in it."""
    del base_layers
    return NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())


async def _ensure() -> BaseLayers:
    provider = NamespaceProvider(STATE, SystemClock())
    try:
        return BaseLayers(await BaseImage().ensure(provider), await Toolbox().ensure(provider))
    except SandboxError as error:
        pytest.skip(str(error))
