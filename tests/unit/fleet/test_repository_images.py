"""Which image a session starts from."""

from pathlib import Path

from outrider.fleet.images.repository import RepositoryImages
from outrider.model.ids import LayerId
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.image_catalog_contract import image_of
from outrider.testing.memory_image_catalog import MemoryImageCatalog
from outrider.testing.tars import tar_of


async def test_the_newest_image_whose_layers_exist_is_found(tmp_path: Path) -> None:
    catalog, provider = MemoryImageCatalog(), FakeProvider(tmp_path / "fake")
    images = RepositoryImages(catalog, provider)
    tar = tmp_path / "layer.tar"
    tar.write_bytes(tar_of({"workspace/.keep": b""}))
    for layer in ("base-a", "toolbox-a", "repo-1"):
        await provider.add_layer(LayerId(layer), tar)
    assert await images.newest("bakery", "main") is None
    for image in (image_of(1), image_of(2)):
        await catalog.put_image(image)
    assert await images.newest("bakery", "main") == image_of(1, build=(await catalog.images())[1].build)
    assert await images.newest("bakery", "next") is None
    await provider.add_layer(LayerId("repo-2"), tar)
    newest = await images.newest("bakery", "main")
    assert newest is not None
    assert newest.commit == f"{2:040x}"
