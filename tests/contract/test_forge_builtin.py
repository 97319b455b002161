"""The built-in forge keeps the contract of forges."""

from pathlib import Path

import pytest

from outrider.integrations.builtin.forge import BuiltinForge
from outrider.model.repository import Repository
from outrider.ports.clock import SystemClock
from outrider.ports.forge import Forge
from outrider.testing.forge_contract import ForgeContract, PullRequestContract, RecordingListener, draft
from outrider.testing.git_source import GitSource
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

    async def test_a_catalog_that_went_back_gives_no_number_twice(
        self, forge: Forge, repository: Repository, work: GitSource, tmp_path: Path, listener: RecordingListener
    ) -> None:
        assert (await forge.open_pull_request(repository, draft())).number == 1
        again = make_forge(tmp_path / "forge", listener)
        assert (await again.open_pull_request(repository, draft())).number == 2
        shown = work.git("ls-remote", str(again.mirror(repository)))
        assert "refs/outrider" not in shown, "a person who clones has no use for it"
