"""The state of a session from its log."""

import asyncio
from collections.abc import Sequence

from outrider.cleanup import to_its_end
from outrider.model.errors import DamagedLog, NotFound
from outrider.model.events import Recorded
from outrider.model.ids import SessionId
from outrider.model.membership import House
from outrider.ports.store import SessionLog
from outrider.session.fold import begin, fold_all
from outrider.session.open_logs import OpenLogs
from outrider.session.state import State

FOLD_AT_ONCE = 200
"""Events that are read and folded before others get their turn: some 4 ms."""


async def replay(session: SessionId, log: SessionLog, house: House) -> State:
    """Fold a log, page by page so that others have their turn. Raises NotFound, DamagedLog."""
    page = log.read(0, FOLD_AT_ONCE)
    if not page:
        raise NotFound(f"There is no session {session}.")
    _expect_next(0, page)
    state = fold_all(begin(page[0], house), page[1:])
    while page := log.read(state.seq, FOLD_AT_ONCE):
        _expect_next(state.seq, page)
        state = fold_all(state, page)
        await asyncio.sleep(0)
    return state


async def peek(session: SessionId, logs: OpenLogs, house: House) -> State:
    """The state of a session that sleeps, which goes on sleeping. Who wants it awake waits meanwhile. Raises NotFound,
    DamagedLog."""
    await logs.free(session)
    with logs.busy(session):
        log = logs.open(session)
        try:
            return await replay(session, log, house)
        finally:
            await to_its_end(logs.close(session))


def _expect_next(seq: int, page: Sequence[Recorded]) -> None:
    """Raises DamagedLog where numbers are missing: pages of a torn file may read as empty."""
    if page[0].seq != seq + 1 or page[-1].seq != seq + len(page):
        raise DamagedLog(f"The session log has no event {seq + 1}, or one after it.")
