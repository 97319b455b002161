"""Answers without an end: news as it comes."""

import asyncio

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

NDJSON = "application/x-ndjson"


class LiveResponse(StreamingResponse):
    """Lines for as long as somebody reads them: where a client goes while there is no news, what waits for news ends
    at once, and not with its next line."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self.stream_response(send), name="tell news")
            leaving = tasks.create_task(self.listen_for_disconnect(receive), name="client leaves")
            await asyncio.wait([telling, leaving], return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            leaving.cancel()
