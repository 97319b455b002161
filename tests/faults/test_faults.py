"""Whatever people do at once and whatever dies, the promises of a session hold.

A seed fixes who does what to which session in which burst, and what is killed. It does not fix how what happens at once
is interleaved: that is up to the machine, so a seed that fails may need to be played some times.

OUTRIDER_FAULT_SEEDS=17 pytest tests/faults        # one seed again
make faults                                        # two hundred
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.sandboxes.namespaces.provider import NamespaceProvider
from tests.e2e.conftest import make_deployment  # noqa: F401 - a fixture
from tests.e2e.deployment import Deployment, make_repository
from tests.faults.play import play
from tests.faults.schedules import schedule

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

SHORT = "1-3"
"""What every run of the tests plays."""


def seeds(text: str) -> list[int]:
    """`7`, or `1-200`."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def test_a_seed_is_one_schedule() -> None:
    assert schedule(7) == schedule(7)
    assert schedule(7) != schedule(8)


@pytest.mark.parametrize("seed", seeds(os.environ.get("OUTRIDER_FAULT_SEEDS") or SHORT))
async def test_the_promises_hold(
    make_deployment: Callable[..., Deployment],  # noqa: F811
    namespaces_provider: NamespaceProvider,
    tmp_path: Path,
    seed: int,
) -> None:
    deployment = make_deployment()
    deployment.program = ("tests.faults.scripted_server",)
    await deployment.start()
    assert await play(seed, deployment, namespaces_provider, make_repository(tmp_path / "plain")) == []
