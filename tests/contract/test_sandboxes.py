"""Every sandbox provider does what the port promises."""

from collections.abc import Callable

import pytest

from outrider.model.ids import LayerId
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from outrider.testing.sandbox_contract import GuestContract, LifecycleContract, MakeProvider


class _Namespaces:
    @pytest.fixture
    def make_provider(self, make_namespaces_provider: Callable[[], NamespaceProvider]) -> MakeProvider:
        return make_namespaces_provider

    @pytest.fixture
    def base(self, base_layers: BaseLayers) -> LayerId:
        return base_layers.base


@pytest.mark.sandbox
class TestNamespacesLifecycle(_Namespaces, LifecycleContract):
    pass


@pytest.mark.sandbox
class TestNamespacesGuest(_Namespaces, GuestContract):
    pass
