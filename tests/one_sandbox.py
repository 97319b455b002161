"""One sandbox for all tests of a class: most contracts of a guest do not ask what a new sandbox is like."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from outrider.model.ids import LayerId
from outrider.model.sandbox import SandboxHandle
from outrider.ports.sandbox import SandboxProvider
from outrider.testing.sandbox_contract import MakeProvider, SandboxFixtures, shell, spec_of

SWEEP = "find /workspace /home/agent /tmp /dev/shm -mindepth 1 -delete"

Made = list[tuple[SandboxHandle, MakeProvider]]


@pytest.fixture(scope="class")
def made_for_class() -> Iterator[Made]:
    """Nothing before the first use."""
    made: Made = []
    yield made
    for handle, make in made:
        asyncio.run(make().destroy(handle))


class OneSandbox(SandboxFixtures):
    """Put it before a contract of `outrider.testing`, for a provider whose state outlives a test. A test may stop the
    sandbox; it is swept after each."""

    @pytest.fixture
    async def sandbox(
        self, provider: SandboxProvider, base: LayerId, make_provider: MakeProvider, made_for_class: Made
    ) -> AsyncIterator[SandboxHandle]:
        """The one, running."""
        if not made_for_class:
            made_for_class.append((await provider.create(spec_of(base, labels={"for": "contract"})), make_provider))
        [(handle, _)] = made_for_class
        yield handle
        await provider.start(handle)
        async with await provider.connect(handle) as guest:
            await guest.kill_everything()
            assert (await guest.run(shell(SWEEP, cwd="/"))).exit_code == 0
