"""Every sandbox provider does what the port promises."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.model.ids import LayerId, SandboxId
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.guest_contract import CommandContract, TransferContract
from outrider.testing.layer_contract import LayerContract
from outrider.testing.remains import remains
from outrider.testing.sandbox_contract import LifecycleContract, MakeProvider, Traces
from outrider.testing.snapshot_contract import SnapshotContract
from outrider.testing.tars import tar_of
from tests.conftest import STATE
from tests.one_sandbox import OneSandbox


class _Namespaces:
    @pytest.fixture
    def make_provider(self, make_namespaces_provider: Callable[[], NamespaceProvider]) -> MakeProvider:
        return make_namespaces_provider

    @pytest.fixture
    def adapter(self) -> str:
        return f"""
from pathlib import Path
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.provider import NamespaceProvider
make = lambda: NamespaceProvider(Path({str(STATE)!r}), SystemClock())
"""

    @pytest.fixture
    def traces(self, make_namespaces_provider: Callable[[], NamespaceProvider]) -> Traces:
        return lambda sandbox: asyncio.to_thread(remains, make_namespaces_provider().state.path, sandbox)

    @pytest.fixture
    def base(self, base_layers: BaseLayers) -> LayerId:
        return base_layers.base


@pytest.mark.sandbox
class TestNamespacesLifecycle(_Namespaces, LifecycleContract):
    pass


@pytest.mark.sandbox
class TestNamespacesLayers(_Namespaces, LayerContract):
    pass


@pytest.mark.sandbox
class TestNamespacesSnapshots(_Namespaces, SnapshotContract):
    pass


@pytest.mark.sandbox
class TestNamespacesCommands(_Namespaces, OneSandbox, CommandContract):
    pass


@pytest.mark.sandbox
class TestNamespacesTransfer(_Namespaces, OneSandbox, TransferContract):
    pass


def _folders(state: Path, sandbox: SandboxId) -> list[str]:
    return [str(path) for path in state.glob(f"**/*{sandbox}*")]


class _Fakes:
    @pytest.fixture
    def adapter(self, tmp_path: Path) -> str:
        return f"""
from pathlib import Path
from outrider.testing.fake_sandbox import FakeProvider
make = lambda: FakeProvider(Path({str(tmp_path / "fake")!r}))
"""

    @pytest.fixture
    def make_provider(self, tmp_path: Path) -> MakeProvider:
        return lambda: FakeProvider(tmp_path / "fake")

    @pytest.fixture
    def traces(self, tmp_path: Path) -> Traces:
        return lambda sandbox: asyncio.to_thread(_folders, tmp_path / "fake", sandbox)

    @pytest.fixture
    async def base(self, make_provider: MakeProvider, tmp_path: Path) -> LayerId:
        layer, tar = LayerId("base-fake"), tmp_path / "base.tar"
        tar.write_bytes(tar_of({"workspace/.keep": b""}))
        await make_provider().add_layer(layer, tar)
        return layer


class TestFakeLifecycle(_Fakes, LifecycleContract):
    pass


class TestFakeLayers(_Fakes, LayerContract):
    pass


class TestFakeSnapshots(_Fakes, SnapshotContract):
    pass


class TestFakeCommands(_Fakes, CommandContract):
    pass


class TestFakeTransfer(_Fakes, TransferContract):
    pass
