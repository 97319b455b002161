"""The fake engine keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.model.engine import ModelRef
from outrider.testing import engine_contract as contract
from outrider.testing.fake_engine import FakeEngine, fail, say, shell, write_file
from outrider.testing.local_guest import LocalGuest

PLAYS = {
    contract.TALK: [say(contract.SAID)],
    contract.EDIT: [say("I write."), write_file(contract.EDITED_FILE, contract.EDITED_TEXT)],
    contract.RUN: [shell("echo $((6 * 7))")],
    contract.SLOW: [shell(f"echo began > {contract.SLOW_FILE}; sleep 300")],
    contract.REFUSED: [fail("The fake model refuses.")],
}


class TestFakeEngine(contract.EngineContract):
    @pytest.fixture
    async def under_test(self, tmp_path: Path) -> AsyncIterator[contract.EngineUnderTest]:
        async with LocalGuest(tmp_path) as guest:
            yield contract.EngineUnderTest(FakeEngine(PLAYS), guest, tmp_path, ModelRef.parse("rehearsal/demo"))
