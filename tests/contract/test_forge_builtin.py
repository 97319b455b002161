"""The built-in forge keeps the contract of forges."""

from pathlib import Path

import pytest

from outrider.integrations.builtin.forge import BuiltinForge
from outrider.ports.clock import SystemClock
from outrider.testing.forge_contract import ForgeContract, RecordingListener
from outrider.testing.memory_forge_catalog import MemoryForgeCatalog


class TestBuiltinForge(ForgeContract):
    @pytest.fixture
    def forge(self, tmp_path: Path, listener: RecordingListener) -> BuiltinForge:
        forge = BuiltinForge(
            tmp_path / "forge", MemoryForgeCatalog(), SystemClock(), public_base=lambda: "http://localhost:4100"
        )
        forge.listener = listener
        return forge
