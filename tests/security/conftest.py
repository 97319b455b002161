"""Sandboxes to attack from inside."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from outrider.model.ids import SandboxId, new_id
from outrider.model.sandbox import SandboxHandle, SandboxSpec
from outrider.ports.sandbox import Guest
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers

Opened = Callable[..., AbstractAsyncContextManager[SandboxHandle]]


@pytest.fixture
def opened(namespaces_provider: NamespaceProvider, base_layers: BaseLayers) -> Opened:
    """Makes a sandbox for as long as a context lives; `fields` are those of a `SandboxSpec`."""

    @asynccontextmanager
    async def make(**fields: object) -> AsyncIterator[SandboxHandle]:
        given = {"id": new_id("sb"), "layers": (base_layers.base,), "toolbox": base_layers.toolbox, **fields}
        handle = await namespaces_provider.create(SandboxSpec.model_validate(given))
        try:
            yield handle
        finally:
            await namespaces_provider.destroy(handle)

    return make


@pytest.fixture
async def sandbox(namespaces_provider: NamespaceProvider, base_layers: BaseLayers) -> AsyncIterator[SandboxHandle]:
    spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,), toolbox=base_layers.toolbox)
    handle = await namespaces_provider.create(spec)
    yield handle
    await namespaces_provider.destroy(handle)


@pytest.fixture
async def guest(namespaces_provider: NamespaceProvider, sandbox: SandboxHandle) -> AsyncIterator[Guest]:
    async with await namespaces_provider.connect(sandbox) as guest:
        yield guest
