"""The stores on disk keep the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.storage.blobs import DirectoryBlobs
from outrider.storage.search import SqliteSearch
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.store_contract import BlobsContract, SearchContract, SessionLogsContract


class TestSqliteSessionLogs(SessionLogsContract):
    @pytest.fixture
    def logs(self, tmp_path: Path) -> SqliteSessionLogs:
        return SqliteSessionLogs(tmp_path / "sessions")


class TestDirectoryBlobs(BlobsContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> DirectoryBlobs:
        return DirectoryBlobs(tmp_path / "blobs")


class TestSqliteSearch(SearchContract):
    @pytest.fixture
    def search(self, tmp_path: Path) -> Iterator[SqliteSearch]:
        search = SqliteSearch(tmp_path / "search.sqlite")
        yield search
        search.close()
