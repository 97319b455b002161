"""Services in real sandboxes."""

from collections.abc import Callable

import pytest

from outrider.model.ids import LayerId
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from outrider.testing.sandbox_contract import MakeProvider
from outrider.testing.service_contract import ServicesContract
from tests.one_sandbox import OneSandbox


@pytest.mark.sandbox
class TestNamespacesServices(OneSandbox, ServicesContract):
    @pytest.fixture
    def make_provider(self, make_namespaces_provider: Callable[[], NamespaceProvider]) -> MakeProvider:
        return make_namespaces_provider

    @pytest.fixture
    def base(self, base_layers: BaseLayers) -> LayerId:
        return base_layers.base
