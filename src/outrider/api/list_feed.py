"""The list of sessions over one WebSocket: what changes in it, as it changes."""

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from outrider.api.access import is_visible
from outrider.api.feed import CLOSE_RESYNC
from outrider.api.list_frames import RowsFrame
from outrider.api.views import SessionSummary
from outrider.model.base import Model
from outrider.model.feed import LiveFrame, ResyncFrame
from outrider.ports.store import SessionRow
from outrider.session.list_feed import Listing


class ListFeed:
    """ASGI application of `/api/feed`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until either side has enough."""
        parts, login = HTTPConnection(scope).app.state.parts, scope["state"]["login"]
        hub = parts.registry.listing
        await receive()
        listing = hub.attach()
        try:
            await send({"type": "websocket.accept"})
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(_pump(listing, partial(is_visible, parts, login), send), name="live list")
                try:
                    while not sending.done() and (await receive())["type"] != "websocket.disconnect":
                        pass  # the client has nothing to say
                finally:
                    sending.cancel()
        finally:
            hub.detach(listing)


async def _pump(listing: Listing, may_see: Callable[[SessionRow], bool], send: Send) -> None:
    await _send(send, LiveFrame(seq=0))
    async for rows in listing.rows():
        if seen := tuple(SessionSummary.model_validate(row) for row in rows if may_see(row)):
            await _send(send, RowsFrame(sessions=seen))
    if listing.missed:
        await _send(send, ResyncFrame(after=0))
    await send({"type": "websocket.close", "code": CLOSE_RESYNC, "reason": "Attach again."})


async def _send(send: Send, frame: Model) -> None:
    await send({"type": "websocket.send", "text": frame.model_dump_json()})
