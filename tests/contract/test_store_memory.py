"""The stores in memory do what the real ones do."""

import pytest

from outrider.testing.memory_store import MemoryBlobs, MemorySessionIndex, MemorySessionLogs
from outrider.testing.store_contract import BlobsContract, SessionIndexContract, SessionLogsContract


class TestMemorySessionLogs(SessionLogsContract):
    @pytest.fixture
    def logs(self) -> MemorySessionLogs:
        return MemorySessionLogs()


class TestMemoryBlobs(BlobsContract):
    @pytest.fixture
    def blobs(self) -> MemoryBlobs:
        return MemoryBlobs()


class TestMemorySessionIndex(SessionIndexContract):
    @pytest.fixture
    def index(self) -> MemorySessionIndex:
        return MemorySessionIndex()
