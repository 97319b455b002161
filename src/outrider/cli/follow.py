"""Follows a session on its feed until a turn has ended, over interruptions of the server, and listens for Ctrl-C."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Any

from outrider.cli.client import Client, ServerGone
from outrider.cli.failures import first_of
from outrider.cli.progress import Goal, Progress
from outrider.cli.views import View
from outrider.model.errors import Refused
from outrider.model.feed import SERVER_FRAME
from outrider.model.ids import SessionId
from outrider.ports.clock import Clock

PATIENCE_SECONDS = 60
"""A server that is started again takes some seconds to be back; a session survives that."""

RETRY_SECONDS = 0.5


class Exit(IntEnum):
    """Exit codes of the terminal."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    STOPPED = 130


class LeftByPerson(Exception):
    """Ctrl-C was pressed until nothing else was left to do."""


Locate = Callable[[], str | None]
"""Where the server answers now, if it does."""


class Follower:
    """One client on one session."""

    def __init__(self, client: Client, session: SessionId, view: View, clock: Clock, locate: Locate) -> None:
        self._client = client
        self._session = session
        self._view = view
        self._clock = clock
        self._locate = locate
        self._silent_since: float | None = None

    async def until_over(self, progress: Progress) -> None:
        """Show everything until the turn has ended. Raises ServerGone when patience is over."""
        while not progress.over:
            try:
                async with self._client.feed(self._session, progress.seq) as frames:
                    await self._read(frames, progress)
            except ServerGone as error:
                await self._find_again(error)

    async def result(self, progress: Progress) -> dict[str, Any]:
        """What came of the session, once nothing of it runs and no prompt waits."""
        while True:
            try:
                return await self._client.result(self._session)
            except Refused:
                progress.goal = Goal.IDLE
                await self.until_over(progress)

    async def _read(self, frames: AsyncIterator[str], progress: Progress) -> None:
        async for raw in frames:
            self._silent_since = None
            frame = SERVER_FRAME.validate_json(raw)
            self._view.frame(raw, frame)
            progress.take(frame)
            if progress.over:
                return

    async def _find_again(self, error: ServerGone) -> None:
        """Wait for a server that went away, or give up."""
        if self._silent_since is None:
            self._silent_since = self._clock.monotonic()
            self._view.say("The server went away; waiting for it.", "yellow")
        if self._clock.monotonic() - self._silent_since > PATIENCE_SECONDS:
            raise ServerGone(
                "The server went away and did not come back.",
                f"Nothing is lost. Run: outrider up --detach && outrider attach {self._session}",
            ) from error
        await self._clock.sleep(RETRY_SECONDS)
        if (url := self._locate()) is not None:
            self._client.move_to(url)


@asynccontextmanager
async def listening_for_ctrl_c(first: Callable[[], Awaitable[None]] | None) -> AsyncIterator[None]:
    """Within this, the first Ctrl-C does `first` and the second leaves; without `first`, the first one leaves.
    Raises LeftByPerson."""
    loop = asyncio.get_running_loop()
    presses: asyncio.Queue[None] = asyncio.Queue()
    loop.add_signal_handler(signal.SIGINT, presses.put_nowait, None)
    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_answer_presses(presses, first), name="ctrl-c")
            yield
            watching.cancel()
    except BaseExceptionGroup as group:
        raise first_of(group) from None
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _answer_presses(presses: asyncio.Queue[None], first: Callable[[], Awaitable[None]] | None) -> None:
    if first is not None:
        await presses.get()
        await first()
    await presses.get()
    raise LeftByPerson


def exit_code(result: dict[str, Any]) -> Exit:
    """Success is a turn that was completed, with no check red and none that could not run: the server's `ok`."""
    if result["reason"] == "stopped":
        return Exit.STOPPED
    return Exit.DONE if result["ok"] else Exit.FAILED
