"""What `outrider setup` finds missing."""

from datetime import UTC, datetime
from pathlib import Path

from outrider.cli.commands.setup import Sources, missing
from outrider.fleet.base_image import BaseImage
from outrider.fleet.generations import generation_id
from outrider.fleet.toolbox import Toolbox
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.tars import tar_of


async def test_a_base_that_was_renewed_serves_where_the_first_one_was_collected(tmp_path: Path) -> None:
    provider, sources = FakeProvider(tmp_path / "fake"), Sources({"base image": BaseImage(), "toolbox": Toolbox()})
    assert await missing(provider, sources) == ["base image", "toolbox"]
    tar = tmp_path / "layer.tar"
    tar.write_bytes(tar_of({"workspace/.keep": b""}))
    await provider.add_layer(generation_id(BaseImage().layer_id(), datetime(2026, 11, 30, tzinfo=UTC)), tar)
    assert await missing(provider, sources) == ["toolbox"]
    await provider.add_layer(Toolbox().layer_id(), tar)
    assert await missing(provider, sources) == []
