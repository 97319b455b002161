"""The stores in memory do what the real ones do."""

import pytest

from outrider.testing.image_catalog_contract import ImageCatalogContract
from outrider.testing.index_contract import SessionIndexContract
from outrider.testing.logins_contract import LoginsContract
from outrider.testing.manual_clock import ManualClock
from outrider.testing.memory_forge_catalog import MemoryForgeCatalog
from outrider.testing.memory_image_catalog import MemoryImageCatalog
from outrider.testing.memory_logins import MemoryLogins
from outrider.testing.memory_rates import MemoryRates
from outrider.testing.memory_search import MemorySearch
from outrider.testing.memory_store import MemoryBlobs, MemorySessionIndex, MemorySessionLogs
from outrider.testing.rates_contract import RatesContract
from outrider.testing.store_contract import (
    BlobsContract,
    ForgeCatalogContract,
    SearchContract,
    SessionLogsContract,
)


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


class TestMemoryLogins(LoginsContract):
    @pytest.fixture
    def logins(self) -> MemoryLogins:
        return MemoryLogins()


class TestMemoryForgeCatalog(ForgeCatalogContract):
    @pytest.fixture
    def catalog(self) -> MemoryForgeCatalog:
        return MemoryForgeCatalog()


class TestMemoryImageCatalog(ImageCatalogContract):
    @pytest.fixture
    def catalog(self) -> MemoryImageCatalog:
        return MemoryImageCatalog()


class TestMemorySearch(SearchContract):
    @pytest.fixture
    def search(self) -> MemorySearch:
        return MemorySearch()


class TestMemoryRates(RatesContract):
    @pytest.fixture
    def rates(self, clock: ManualClock) -> MemoryRates:
        return MemoryRates(clock)
