"""The stores on disk keep the contract."""

from pathlib import Path

import pytest

from outrider.storage.blobs import DirectoryBlobs
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.store_contract import BlobsContract, SessionLogsContract


class TestSqliteSessionLogs(SessionLogsContract):
    @pytest.fixture
    def logs(self, tmp_path: Path) -> SqliteSessionLogs:
        return SqliteSessionLogs(tmp_path / "sessions")


class TestDirectoryBlobs(BlobsContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> DirectoryBlobs:
        return DirectoryBlobs(tmp_path / "blobs")
