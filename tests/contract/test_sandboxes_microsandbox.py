"""The same contract for microVMs, where the boot probe passes: skipped, with the probe's sentence, everywhere else."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio

from outrider.model.ids import LayerId, SandboxId
from outrider.ports.clock import SystemClock
from outrider.sandboxes.microsandbox import machines
from outrider.sandboxes.microsandbox.provider import MicrosandboxProvider
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.guest_contract import CommandContract, TransferContract
from outrider.testing.layer_contract import LayerContract
from outrider.testing.sandbox_contract import LifecycleContract, MakeProvider, Traces
from outrider.testing.snapshot_contract import SnapshotContract
from tests.conftest import ROOT, STATE

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def make_vm_provider() -> Callable[[], MicrosandboxProvider]:
    """Gives a fresh provider object over the one state folder."""
    provider = MicrosandboxProvider(ROOT / "microsandbox", SystemClock())
    report = asyncio.run(provider.probe())
    if not report.works:
        pytest.skip(report.detail)
    return lambda: MicrosandboxProvider(ROOT / "microsandbox", SystemClock())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vm_base(make_vm_provider: Callable[[], MicrosandboxProvider], request: pytest.FixtureRequest) -> LayerId:
    """The base image of the other tests."""
    base: LayerId = request.getfixturevalue("base_layers").base
    if not await make_vm_provider().has_layer(base):
        with tempfile.TemporaryDirectory(dir=ROOT) as folder:
            tar = Path(folder, "base.tar")
            with await asyncio.to_thread(tar.open, "wb") as file:
                async for chunk in NamespaceProvider(STATE, SystemClock()).export_layer(base):
                    file.write(chunk)
            await make_vm_provider().add_layer(base, tar)
    return base


async def _traces(provider: MicrosandboxProvider, sandbox: SandboxId) -> list[str]:
    """The machine, and our record."""
    name = provider.state.machine(sandbox)
    return [*await machines.all_running(name), *map(str, provider.state.path.glob(f"sandboxes/{sandbox}*"))]


class _MicroVms:
    @pytest.fixture
    def make_provider(self, make_vm_provider: Callable[[], MicrosandboxProvider]) -> MakeProvider:
        return make_vm_provider

    @pytest.fixture
    def adapter(self) -> str:
        return f"""
from pathlib import Path
from outrider.ports.clock import SystemClock
from outrider.sandboxes.microsandbox import machines
from outrider.sandboxes.microsandbox.provider import MicrosandboxProvider
make = lambda: MicrosandboxProvider(Path({str(ROOT / "microsandbox")!r}), SystemClock())
"""

    @pytest.fixture
    def traces(self, make_vm_provider: Callable[[], MicrosandboxProvider]) -> Traces:
        return lambda sandbox: _traces(make_vm_provider(), sandbox)

    @pytest.fixture
    def base(self, vm_base: LayerId) -> LayerId:
        return vm_base


class TestMicroVmLifecycle(_MicroVms, LifecycleContract):
    pass


class TestMicroVmLayers(_MicroVms, LayerContract):
    pass


class TestMicroVmSnapshots(_MicroVms, SnapshotContract):
    pass


class TestMicroVmCommands(_MicroVms, CommandContract):
    pass


class TestMicroVmTransfer(_MicroVms, TransferContract):
    pass
