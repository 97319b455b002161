"""Services, in plain processes of this machine."""

from pathlib import Path

import pytest

from outrider.model.ids import LayerId
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.sandbox_contract import MakeProvider
from outrider.testing.service_contract import ServicesContract
from outrider.testing.tars import tar_of


class TestFakeServices(ServicesContract):
    @pytest.fixture
    def make_provider(self, tmp_path: Path) -> MakeProvider:
        return lambda: FakeProvider(tmp_path / "fake")

    @pytest.fixture
    async def base(self, make_provider: MakeProvider, tmp_path: Path) -> LayerId:
        layer, tar = LayerId("base-fake"), tmp_path / "base.tar"
        tar.write_bytes(tar_of({"workspace/.keep": b""}))
        await make_provider().add_layer(layer, tar)
        return layer
