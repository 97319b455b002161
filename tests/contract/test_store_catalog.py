"""The stores in the catalog keep the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.ports.clock import SystemClock
from outrider.storage.catalog import Catalog, open_catalog
from outrider.storage.forge_catalog import SqlForgeCatalog
from outrider.storage.image_catalog import SqlImageCatalog
from outrider.storage.logins import SqlLogins
from outrider.storage.rates import SqlRates
from outrider.storage.session_index import SqlSessionIndex
from outrider.testing.image_catalog_contract import ImageCatalogContract
from outrider.testing.index_contract import SessionIndexContract
from outrider.testing.logins_contract import LoginsContract
from outrider.testing.manual_clock import ManualClock
from outrider.testing.rates_contract import RatesContract
from outrider.testing.store_contract import ForgeCatalogContract


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Catalog]:
    async with open_catalog(tmp_path / "catalog.sqlite", SystemClock()) as catalog:
        yield catalog


class TestSqlSessionIndex(SessionIndexContract):
    @pytest.fixture
    def index(self, opened: Catalog) -> SqlSessionIndex:
        return opened.sessions


class TestSqlLogins(LoginsContract):
    @pytest.fixture
    def logins(self, opened: Catalog) -> SqlLogins:
        return opened.logins


class TestSqlForgeCatalog(ForgeCatalogContract):
    @pytest.fixture
    def catalog(self, opened: Catalog) -> SqlForgeCatalog:
        return opened.forge


class TestSqlImageCatalog(ImageCatalogContract):
    @pytest.fixture
    def catalog(self, opened: Catalog) -> SqlImageCatalog:
        return opened.images


class TestSqlRates(RatesContract):
    @pytest.fixture
    async def rates(self, clock: ManualClock, tmp_path: Path) -> AsyncIterator[SqlRates]:
        async with open_catalog(tmp_path / "rates.sqlite", clock) as catalog:
            yield catalog.rates
