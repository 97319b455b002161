"""Ends that must not be cut short: a sandbox destroyed, an engine closed, an image taken away."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from outrider.model.limits import FIXED, limit_reached

_log = logging.getLogger(__name__)

CANCELLED_SECONDS = 20.0
"""How long the work may still take where its owner is cancelled. `outrider down` waits 30 s for the server."""


async def to_its_end(work: Coroutine[Any, Any, object], *, seconds: float = CANCELLED_SECONDS) -> None:
    """Wait for `work` to end, also where the caller is cancelled meanwhile, once or more often; the cancellation is
    raised afterwards. A caller that is or was cancelled waits `seconds`, then the work is cancelled too.

    Raises what the work raises. Where the caller is being cancelled that is logged instead: nothing takes the place of
    a cancellation."""
    owner = asyncio.current_task()
    assert owner is not None
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_failure_of(work), name="to its end")
        cut = await _wait_out(task, owner, seconds)
    failure = limit_reached(f"It took longer than {seconds:g} s.", "", FIXED) if task.cancelled() else task.result()
    if failure and owner.cancelling():
        _log.error("%s did not come to its end: %s", work, failure)
    if cut:
        raise cut
    if failure and not owner.cancelling():
        raise failure


async def _wait_out(
    task: asyncio.Task[Exception | None], owner: asyncio.Task[Any], seconds: float
) -> asyncio.CancelledError | None:
    """Wait for the task; the last cancellation of its owner meanwhile."""
    clock, deadline, cut = asyncio.get_running_loop().time, None, None
    while not task.done():
        if owner.cancelling() and deadline is None:
            deadline = clock() + seconds
        if deadline is not None and clock() >= deadline:
            task.cancel()
            break
        try:
            await asyncio.wait({task}, timeout=None if deadline is None else deadline - clock())
        except asyncio.CancelledError as error:
            cut = error
    return cut


async def _failure_of(work: Coroutine[Any, Any, object]) -> Exception | None:
    """What it failed with: raised, it would cancel the one that waits."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - raised by whoever waits
        return error
    return None
