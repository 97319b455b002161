"""Work that goes to its end while its owner is cancelled: the owner's end waits for it, and is a cancellation."""

import asyncio
import logging

import pytest

from outrider.cleanup import to_its_end
from outrider.model.errors import LimitReached, SandboxError


class Work:
    """Goes on until the test lets it end."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.over = False
        self.cut = False
        self._failure = failure

    async def __call__(self) -> None:
        self.began.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cut = True
            raise
        self.over = True
        if self._failure:
            raise self._failure


async def owner(work: Work, seconds: float = 60.0) -> None:
    """Ends with the work."""
    try:
        work.began.set()
        await asyncio.Event().wait()
    finally:
        await to_its_end(work(), seconds=seconds)


async def turns() -> None:
    """Let everybody who can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_nobody_cancels_ends_as_it_ends() -> None:
    work = Work()
    work.go.set()
    await to_its_end(work())
    assert work.over
    failing = Work(SandboxError("It is stuck."))
    failing.go.set()
    with pytest.raises(SandboxError, match="stuck"):
        await to_its_end(failing())


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_the_owner_waits_for_it_however_often_it_is_cancelled(times: int) -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(to_its_end(work()))
        await work.began.wait()
        for _ in range(times):
            task.cancel()
            await turns()
        assert (task.done(), work.cut) == (False, False)
        work.go.set()
    assert (task.cancelled(), work.over, work.cut) == (True, True, False)


async def test_an_owner_that_was_cancelled_before_is_cancelled_again_and_waits() -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(owner(work))
        await work.began.wait()
        for _ in range(2):
            task.cancel()
            await turns()
        assert not task.done()
        work.go.set()
    assert (task.cancelled(), work.over) == (True, True)


async def test_a_deadline_stays_a_deadline() -> None:
    work = Work()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_let_go_after_a_deadline(work))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await to_its_end(work())
    assert work.over


async def _let_go_after_a_deadline(work: Work) -> None:
    await work.began.wait()
    await turns()
    work.go.set()


async def test_a_failure_does_not_take_the_place_of_a_cancellation(caplog: pytest.LogCaptureFixture) -> None:
    for ending in (owner, to_its_end):
        work = Work(SandboxError("It is stuck."))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(owner(work) if ending is owner else to_its_end(work()))
            await work.began.wait()
            task.cancel()
            await turns()
            work.go.set()
        assert task.cancelled()
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "It is stuck." in caplog.text


async def test_work_that_hangs_does_not_keep_a_cancelled_owner(caplog: pytest.LogCaptureFixture) -> None:
    for times in (1, 2):
        work = Work()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(owner(work, seconds=0.05))
            await work.began.wait()
            for _ in range(times):
                task.cancel()
                await turns()
        assert (task.cancelled(), work.cut, work.over) == (True, True, False)
    assert str(LimitReached("It took longer than 0.05 s.")) in caplog.text
