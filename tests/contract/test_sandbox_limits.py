"""Limits of the `namespaces` provider: kept by the kernel in one tier, by the watchdog in the other, said in both."""

import pytest

from outrider.model.ids import LayerId
from outrider.model.sandbox import LimitTier
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from outrider.testing.limits_contract import LimitsContract

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("tier", list(LimitTier))
class TestNamespacesLimits(LimitsContract):
    @pytest.fixture
    def provider(self, namespaces_provider: NamespaceProvider, tier: LimitTier) -> NamespaceProvider:
        groups = find_cgroups() if tier is LimitTier.CGROUP else None
        if tier is LimitTier.CGROUP and groups is None:
            pytest.skip("no control groups that we may write")
        return NamespaceProvider(namespaces_provider.state.path, SystemClock(), groups=groups)

    @pytest.fixture
    def base(self, base_layers: BaseLayers) -> LayerId:
        return base_layers.base
