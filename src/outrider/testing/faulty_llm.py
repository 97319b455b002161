"""A model that fails as hosted ones do, in front of the rehearsal model. The model's name says how:

    fault-401, fault-429, fault-529 …   that status, with the vendor's error
    fault-break                         the stream ends in the middle of an answer
    fault-garbage                       the stream is no stream
    fault-hang                          no byte of an answer, until the client leaves

A number after it, as in `fault-529-2`, says how many requests fail before the rehearsal model answers. A status comes
with `retry-after: 0`, so that nobody waits in vain.
"""

import asyncio
import json
import re
from collections import Counter
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FAULT = re.compile(r"^fault-(?P<kind>\d{3}|break|garbage|hang)(?:-(?P<times>\d+))?$")
_KINDS = {401: "authentication_error", 402: "billing_error", 429: "rate_limit_error", 529: "overloaded_error"}
BREAK_AFTER_BYTES = 600


class FaultyModel:
    """An ASGI app that stands before another one. `failed` counts the requests that it spoiled, by model name. `fault`
    takes the place of every model's name where it is set: so one session sees one fault after the other. `heard` is
    the newest request's body."""

    def __init__(self, inner: ASGIApp) -> None:
        self.fault = ""
        self.failed: Counter[str] = Counter()
        self.spoiled = asyncio.Event()
        self.heard = b""
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Spoil a request, or pass it on."""
        body = self.heard = await Request(scope, receive).body()
        model = self.fault or _model(body)
        fault = _FAULT.match(model)
        if fault is None or (fault["times"] and self.failed[model] >= int(fault["times"])):
            await self._inner(scope, _again(body, receive), send)
            return
        self.failed[model] += 1
        self.spoiled.set()
        await self._spoil(fault["kind"], scope, _again(body, receive), send)

    async def _spoil(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        match kind:
            case "break":
                with suppress(BrokenPipeError):
                    await self._inner(scope, receive, _Breaking(send))
            case "garbage":
                await _begin(send)
                await send({"type": "http.response.body", "body": b"event: message_start\ndata: {nonsense\n\n"})
            case "hang":
                await receive()
                await receive()
            case status:
                await _refusal(int(status))(scope, receive, send)


class _Breaking:
    """Lets so many bytes of an answer through and then cuts the connection."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._left = BREAK_AFTER_BYTES

    async def __call__(self, message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and len(body) > self._left:
            await self._send({**message, "body": body[: self._left], "more_body": True})
            raise BrokenPipeError("A fault for a test: the stream broke.")
        self._left -= len(body)
        await self._send(message)


def _model(body: bytes) -> str:
    try:
        return str(json.loads(body).get("model", ""))
    except (ValueError, AttributeError):
        return ""


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, for whoever reads it next; then what else comes, which is that the client left."""
    unread = [body]

    async def again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return again


def _refusal(status: int) -> JSONResponse:
    kind = _KINDS.get(status, "api_error")
    error = {"type": "error", "error": {"type": kind, "message": f"A fault for a test: {kind}."}}
    return JSONResponse(error, status_code=status, headers={"retry-after": "0"})


async def _begin(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
