"""OpenCode keeps the contract: the real engine, driven by the rehearsal model over both wires."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.model.engine import ModelRef
from outrider.testing.engine_contract import EngineContract, EngineUnderTest
from outrider.testing.local_guest import LocalGuest
from outrider.testing.opencode_install import opencode_binary
from outrider.testing.rehearsal_server import broker_like, contract_scripts, serving


class TestOpenCode(EngineContract):
    @pytest.fixture
    async def under_test(self, tmp_path: Path) -> AsyncIterator[EngineUnderTest]:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        async with serving(broker_like(contract_scripts())) as broker, LocalGuest(tmp_path) as guest:
            profile = OpenCode(binary=str(opencode_binary()), home=str(tmp_path / "engine"), broker=broker)
            yield EngineUnderTest(AcpEngine(profile), guest, workspace, ModelRef.parse("rehearsal/demo"))
