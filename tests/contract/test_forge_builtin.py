"""The built-in forge keeps the contract of forges."""

from pathlib import Path

import pytest

from outrider.integrations.builtin.forge import BuiltinForge
from outrider.ports.clock import SystemClock
from outrider.testing.forge_contract import ForgeContract, PullRequestContract, RecordingListener
from outrider.testing.memory_forge_catalog import MemoryForgeCatalog


def make_forge(folder: Path, listener: RecordingListener) -> BuiltinForge:
    forge = BuiltinForge(folder, MemoryForgeCatalog(), SystemClock(), public_base=lambda: "http://localhost:4100")
    forge.listener = listener
    return forge


class TestBuiltinForge(ForgeContract):
    @pytest.fixture
    def forge(self, tmp_path: Path, listener: RecordingListener) -> BuiltinForge:
        return make_forge(tmp_path / "forge", listener)


class TestBuiltinPullRequests(PullRequestContract):
    @pytest.fixture
    def forge(self, tmp_path: Path, listener: RecordingListener) -> BuiltinForge:
        return make_forge(tmp_path / "forge", listener)
