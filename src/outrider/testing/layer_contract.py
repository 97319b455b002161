"""What every sandbox provider has to do with layers, real or fake."""

from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, new_id
from outrider.ports.sandbox import SandboxProvider
from outrider.testing.sandbox_contract import SandboxFixtures, shell, spec_of
from outrider.testing.tars import tar_of


class LayerContract(SandboxFixtures):
    """For `outrider.ports.sandbox.Layers`."""

    async def test_a_tar_becomes_a_layer_all_or_nothing(
        self, provider: SandboxProvider, base: LayerId, tmp_path: Path
    ) -> None:
        layer, broken = LayerId(new_id("layer")), LayerId(new_id("layer"))
        tar = tmp_path / "layer.tar"
        tar.write_bytes(tar_of({"workspace/hello.txt": b"hello\n", "workspace/more": bytes(9000)}))
        await provider.add_layer(layer, tar)
        tar.write_bytes(tar.read_bytes()[:5000])
        with pytest.raises(SandboxError):
            await provider.add_layer(broken, tar)
        assert (await provider.has_layer(layer), await provider.has_layer(broken)) == (True, False)
        handle = await provider.create(spec_of(base, layers=(base, layer)))
        async with await provider.connect(handle) as guest:
            assert (await guest.run(shell("cat hello.txt"))).output == b"hello\n"
        await provider.destroy(handle)
        await provider.delete_layer(layer)

    async def test_a_squashed_layer_shows_the_same_files(self, provider: SandboxProvider, base: LayerId) -> None:
        scripts = (
            "mkdir -p kept gone turned deep/er && echo 1 >kept/a && echo 1 >kept/b && echo 1 >gone/a && echo 1 >file"
            " && echo 1 >turned/a && echo 1 >deep/er/a && ln -s kept link && touch empty && chmod 750 kept",
            "rm -r gone turned && echo 2 >kept/b && echo 2 >turned && rm file && mkdir file && echo 2 >file/a",
            "rm turned && mkdir turned gone && echo 3 >turned/b && rm kept/a link && rm -r deep && mkdir deep"
            " && echo 3 >deep/b && chmod 640 kept/b",
        )
        layers = [base]
        for script in scripts:
            layers.append(await _frozen(provider, tuple(layers), script))
        squashed = await provider.squash(layers[1:], LayerId(new_id("layer")), below=[base])
        assert await provider.squash(layers[1:], squashed, below=[base]) == squashed
        assert await _tree(provider, (base, squashed)) == await _tree(provider, tuple(layers))
        half = await provider.squash(layers[2:], LayerId(new_id("layer")), below=layers[:2])
        assert await _tree(provider, (*layers[:2], half)) == await _tree(provider, tuple(layers))
        for layer in (*layers[1:], squashed, half):
            await provider.delete_layer(layer)

    async def test_a_squash_of_what_is_missing_is_refused(self, provider: SandboxProvider, base: LayerId) -> None:
        into = LayerId(new_id("layer"))
        with pytest.raises(SandboxError, match="layer-missing"):
            await provider.squash([base, LayerId("layer-missing")], into)
        assert not await provider.has_layer(into)

    async def test_layers_are_listed_with_their_use_and_measured_when_asked(
        self, provider: SandboxProvider, base: LayerId
    ) -> None:
        layer = await _frozen(provider, (base,), "head -c 300000 /dev/zero >file")
        more = await _frozen(provider, (base,), "head -c 500000 /dev/zero >file")
        assert {row.id: row.used for row in await provider.list_layers() if row.id in (layer, more)} == {
            layer: False,
            more: False,
        }
        sizes = [await provider.layer_bytes([one]) for one in (layer, more)]
        assert [size >= least for size, least in zip(sizes, (300_000, 500_000), strict=True)] == [True, True]
        assert await provider.layer_bytes([layer, more, LayerId("layer-missing")]) == sum(sizes)
        await provider.delete_layer(more)
        assert await provider.layer_bytes([more]) == 0
        handle = await provider.create(spec_of(base, layers=(base, layer)))
        used = [row.id for row in await provider.list_layers() if row.used]
        assert {base, layer} <= set(used)
        await provider.destroy(handle)
        await provider.delete_layer(layer)
        assert layer not in [row.id for row in await provider.list_layers()]


async def _frozen(provider: SandboxProvider, below: tuple[LayerId, ...], script: str) -> LayerId:
    """The layer that a script in the workspace makes above others."""
    handle = await provider.create(spec_of(below[0], layers=below))
    async with await provider.connect(handle) as guest:
        done = await guest.run(shell(script))
    assert done.exit_code == 0, done
    return await provider.freeze(handle, LayerId(new_id("layer")))


async def _tree(provider: SandboxProvider, layers: tuple[LayerId, ...]) -> list[str]:
    """Every path in the workspace with type, mode, target and content."""
    handle = await provider.create(spec_of(layers[0], layers=layers))
    look = "find . -mindepth 1 -printf '%p %y %m %l\\n' | sort; find . -type f | sort | xargs cat"
    async with await provider.connect(handle) as guest:
        seen = await guest.run(shell(look))
    await provider.destroy(handle)
    return seen.output.decode().splitlines()
