"""Whatever people do at once and whatever dies, the promises of a session hold.

A seed fixes who does what to which session in which burst, and what is killed. It does not fix how what happens at once
is interleaved: that is up to the machine. So a seed that fails leaves its trace in artifacts/faults, from which its
deeds are replayed one after the other in the order in which they were over.

make faults                                        # two hundred
make faults SEED=17                                # one again: its trace, where there is one
OUTRIDER_FAULT_SEEDS=17 pytest tests/faults        # one again, all of a burst at once
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.sandboxes.namespaces.provider import NamespaceProvider
from tests.e2e.conftest import make_deployment, preloaded, starter  # noqa: F401 - fixtures
from tests.e2e.deployment import Deployment
from tests.faults.play import Play
from tests.faults.schedules import schedule
from tests.faults.traces import Trace, path_of, serial

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
    deployment.program = "tests.faults.scripted_server:main"
    await deployment.start()
    play = await Play.begin(deployment, namespaces_provider, tmp_path)
    recorded = path_of(seed)
    bursts = serial(recorded) if os.environ.get("OUTRIDER_FAULT_REPLAY") and recorded.exists() else schedule(seed)
    faults = ["It did not come to an end."]
    try:
        await play.run(bursts)
        faults = await play.faults()
    finally:
        if faults:
            await deployment.stop()
            trace = Trace(seed, faults, bursts, play.answered, play.logs(), play.receipts())
            print(f"The trace is in {trace.write()}")  # noqa: T201 - shown where it fails
    assert faults == []
