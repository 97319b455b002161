"""Whatever people do at once and whatever dies, the promises of a session hold.

A seed fixes who does what to which session in which burst, and what is killed. It does not fix how what happens at once
is interleaved: that is up to the machine, so a seed that fails may need to be played some times.

OUTRIDER_FAULT_SEEDS=17 pytest tests/faults        # one seed again
make faults                                        # two hundred
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from outrider.sandboxes.namespaces.provider import NamespaceProvider
from tests.e2e.conftest import make_deployment  # noqa: F401 - a fixture
from tests.e2e.deployment import Deployment
from tests.faults.forked_server import ForkedDeployment, Parent, parent
from tests.faults.play import Play
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


@pytest.fixture(scope="module")
def server_parent() -> Iterator[Parent]:
    """One for all seeds."""
    with parent() as made:
        yield made


@pytest.mark.parametrize("seed", seeds(os.environ.get("OUTRIDER_FAULT_SEEDS") or SHORT))
async def test_the_promises_hold(
    make_deployment: Callable[..., Deployment],  # noqa: F811
    namespaces_provider: NamespaceProvider,
    server_parent: Parent,
    tmp_path: Path,
    seed: int,
) -> None:
    deployment = make_deployment(kind=partial(ForkedDeployment, parent=server_parent))
    await deployment.start()
    play = await Play.begin(deployment, namespaces_provider, tmp_path)
    await play.run(schedule(seed))
    assert await play.faults() == []
