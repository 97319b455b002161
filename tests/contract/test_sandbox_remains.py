"""What a sandbox leaves behind, and what the death of the server leaves of it."""

import asyncio
from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import SandboxSpec
from outrider.ports.sandbox import ExecSpec
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from outrider.testing.remains import remains
from outrider.testing.tars import tar_of
from tests.forked_scripts import Scripts

pytestmark = pytest.mark.sandbox

SERVER = """
import asyncio, sys
from pathlib import Path
from outrider.model.sandbox import SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider

async def main(state, base, *ids):
    provider = NamespaceProvider(Path(state), SystemClock(), groups=find_cgroups())
    for id in ids:
        print("making", flush=True)
        await provider.create(SandboxSpec(id=id, layers=(base,), labels={"for": "death"}))
        print("made", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def traces(provider: NamespaceProvider, sandbox: SandboxId) -> list[str]:
    """All that still knows the sandbox."""
    return remains(provider.state.path, sandbox)


async def test_destroying_leaves_nothing(namespaces_provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,), toolbox=base_layers.toolbox)
    handle = await namespaces_provider.create(spec)
    async with await namespaces_provider.connect(handle) as guest:
        await guest.run(ExecSpec(argv=["sh", "-c", "setsid sleep 999 >/dev/null 2>&1 & mkdir -m 0 ~/closed"]))
    assert traces(namespaces_provider, spec.id)
    await namespaces_provider.destroy(handle)
    assert traces(namespaces_provider, spec.id) == []


@pytest.mark.parametrize("files", [{"etc/passwd": b""}, {"bin/sh": b"#!/bin/none\n"}], ids=["no shell", "broken shell"])
async def test_a_sandbox_that_does_not_start_leaves_nothing(
    namespaces_provider: NamespaceProvider, tmp_path: Path, files: dict[str, bytes]
) -> None:
    layer, tar = LayerId(new_id("layer")), tmp_path / "layer.tar"
    tar.write_bytes(tar_of(files, modes=dict.fromkeys(files, 0o755)))
    await namespaces_provider.add_layer(layer, tar)
    spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(layer,))
    with pytest.raises(SandboxError, match="sandbox"):
        await namespaces_provider.create(spec)
    assert traces(namespaces_provider, spec.id) == []
    await namespaces_provider.delete_layer(layer)


async def test_a_sandbox_outlives_the_server(
    scripts: Scripts, namespaces_provider: NamespaceProvider, base_layers: BaseLayers
) -> None:
    sandbox = SandboxId(new_id("sb"))
    with scripts.run(SERVER, str(namespaces_provider.state.path), base_layers.base, sandbox) as server:
        assert [server.stdout.readline() for _ in range(2)] == ["making\n", "made\n"]
        server.kill()
    rows = [row for row in await namespaces_provider.list({"for": "death"}) if row.handle.id == sandbox]
    assert [row.running for row in rows] == [True]
    async with await namespaces_provider.connect(rows[0].handle) as guest:
        assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0
    await namespaces_provider.destroy(rows[0].handle)
    assert traces(namespaces_provider, sandbox) == []


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.04, 0.07])
async def test_a_server_killed_while_it_makes_a_sandbox_leaves_one_that_can_be_destroyed(
    scripts: Scripts, namespaces_provider: NamespaceProvider, base_layers: BaseLayers, delay: float
) -> None:
    sandbox = SandboxId(new_id("sb"))
    with scripts.run(SERVER, str(namespaces_provider.state.path), base_layers.base, sandbox) as server:
        assert server.stdout.readline() == "making\n"
        await asyncio.sleep(delay)  # the moment of the kill is what is varied
        server.kill()
    for row in await namespaces_provider.list({"for": "death"}):
        await namespaces_provider.destroy(row.handle)
    assert traces(namespaces_provider, sandbox) == []
