"""What every sandbox provider has to do to keep and give back what a sandbox has written. Used as
`outrider.testing.sandbox_contract` is, with the same fixtures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from outrider.model.errors import NotFound, SandboxLost
from outrider.model.ids import LayerId, new_id
from outrider.model.sandbox import SandboxHandle
from outrider.ports.sandbox import Guest, SandboxProvider
from outrider.testing.sandbox_contract import SandboxFixtures, shell, spec_of
from outrider.testing.tars import tar_of

COUNTER = """
count() { echo $i >$1.new; mv $1.new $1; }
i=0; count aa; count zz; echo counting
while :; do i=$((i+1)); count aa; count zz; done
"""
"""Names at both ends of the folder, so that a copy of a moving target would find them far apart."""


@asynccontextmanager
async def _restored(provider: SandboxProvider, layers: tuple[LayerId, ...]) -> AsyncIterator[Guest]:
    """The inside of a new sandbox of these layers."""
    handle = await provider.create(spec_of(layers[0], layers=layers))
    try:
        async with await provider.connect(handle) as guest:
            yield guest
    finally:
        await provider.destroy(handle)


class SnapshotContract(SandboxFixtures):
    """For `snapshot` and `export_layer` of `outrider.ports.sandbox.SandboxProvider`."""

    async def test_a_snapshot_holds_one_moment_and_the_sandbox_goes_on(
        self, provider: SandboxProvider, sandbox: SandboxHandle, base: LayerId
    ) -> None:
        layer = LayerId(new_id("layer"))
        async with await provider.connect(sandbox) as guest:
            await guest.run(shell("mkdir many && cd many && for i in $(seq 400); do echo $i >$i; done"))
            counter = await guest.start(shell(COUNTER))
            assert await anext(counter.stdout()) == b"counting\n"
            assert await provider.snapshot(sandbox, layer) == layer
            seen = (await guest.run(shell("cat aa"))).output
            later = await guest.run(shell(f"until [ $(cat aa) -gt {int(seen)} ]; do :; done; touch after"))
            await counter.signal("KILL")
        async with _restored(provider, (base, layer)) as guest:
            kept = await guest.run(shell("cat aa zz many/400; ls after"))
        first, last, filling = (int(line) for line in kept.output.split()[:3])
        assert later.exit_code == 0
        assert (first - last, filling, kept.exit_code != 0) in [(0, 400, True), (1, 400, True)]
        await provider.delete_layer(layer)

    async def test_a_second_snapshot_holds_what_changed_and_the_first_does_not(
        self, provider: SandboxProvider, sandbox: SandboxHandle, base: LayerId
    ) -> None:
        layers = [LayerId(new_id("layer")) for _ in range(2)]
        script = "echo one >file; echo same >same; mkdir -p d/e; echo x >d/gone; ln same twin; ln -s same link"
        async with await provider.connect(sandbox) as guest:
            await guest.run(shell(script))
            await provider.snapshot(sandbox, layers[0])
            await provider.snapshot(sandbox, layers[0])
            await guest.run(shell("echo two >file; rm d/gone; rmdir d/e; echo y >d/new; chmod 700 same"))
            await provider.snapshot(sandbox, layers[1])
        shown = []
        for layer in layers:
            async with _restored(provider, (base, layer)) as guest:
                done = await guest.run(shell("cat file; find d | sort; cat twin link; stat -c %a twin"))
                shown.append(done.output.decode().split())
            await provider.delete_layer(layer)
        assert shown == [
            ["one", "d", "d/e", "d/gone", "same", "same", "644"],
            ["two", "d", "d/new", "same", "same", "700"],
        ]

    async def test_a_layer_leaves_as_a_tar_and_comes_back(
        self, provider: SandboxProvider, sandbox: SandboxHandle, base: LayerId, tmp_path: Path
    ) -> None:
        below, layer, tar = LayerId(new_id("layer")), LayerId(new_id("layer")), tmp_path / "layer.tar"
        tar.write_bytes(tar_of({"workspace/old/a": b"a", "workspace/gone": b"gone"}))
        await provider.add_layer(below, tar)
        handle = await provider.create(spec_of(base, layers=(base, below)))
        script = "echo hi >file; chmod 4750 file; ln -s file link; rm -r old gone; mkdir old; touch old/b"
        async with await provider.connect(handle) as guest:
            assert (await guest.run(shell(script))).exit_code == 0
        await provider.freeze(handle, layer)
        tars = [b"".join([chunk async for chunk in provider.export_layer(layer)]) for _ in range(2)]
        await provider.delete_layer(layer)
        with pytest.raises(NotFound):
            await anext(aiter(provider.export_layer(layer)))
        tar.write_bytes(tars[0])
        await provider.add_layer(layer, tar)
        async with _restored(provider, (base, below, layer)) as guest:
            done = await guest.run(shell("cat link; stat -c %a file; ls old; ls gone"))
        assert tars[0] == tars[1]
        assert done.output.decode().split()[:3] == ["hi", "750", "b"]
        for name in (layer, below):
            await provider.delete_layer(name)

    async def test_a_snapshot_of_what_is_gone_is_refused(self, provider: SandboxProvider, base: LayerId) -> None:
        handle = await provider.create(spec_of(base))
        await provider.destroy(handle)
        with pytest.raises(SandboxLost):
            await provider.snapshot(handle, LayerId("layer-never"))
        assert not await provider.has_layer(LayerId("layer-never"))
