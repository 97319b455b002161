"""What every app of the broker needs: a bounded body, a plain answer, and an end when the client leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from outrider.model.limits import FIXED, limit_reached

BODY_SECONDS = 60.0
"""How long a client may take to send a body."""


class ClientGone(Exception):
    """The client closed its connection before its request was whole."""


async def body_chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body of a request in pieces. Raises ClientGone."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        if chunk := message.get("body", b""):
            yield chunk


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises LimitReached beyond `limit` bytes or 60 s, and ClientGone."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in body_chunks(receive):
                body += chunk
                if len(body) > limit:
                    raise limit_reached(f"The request is larger than {limit >> 20} MB, which is the most.", "", FIXED)
    except TimeoutError as error:
        sentence = f"The request took longer than {BODY_SECONDS:.0f} s to arrive, which is the most."
        raise limit_reached(sentence, "", FIXED) from error
    return bytes(body)


async def until_client_leaves(receive: Receive, work: Awaitable[Any]) -> None:
    """Do the work, and cancel it when the client closes its connection. The body must have been read."""

    async def working() -> None:
        await work

    async def watching(task: asyncio.Task[None]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(working(), name="broker call")
        watch = tasks.create_task(watching(task), name="broker disconnect watch")
        task.add_done_callback(lambda _: watch.cancel())


def path_below(scope: Scope) -> str:
    """The path without what the app is mounted under."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


async def say(text: str, status: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with one plain sentence."""
    await PlainTextResponse(text + "\n", status)(scope, receive, send)
