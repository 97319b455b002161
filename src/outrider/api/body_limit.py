"""A limit on what a client may send, held before anything parses it."""

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outrider.api.problems import problem
from outrider.model.limits import FIXED, limit_reached

MAX_BODY_BYTES = 16 << 20
"""Longest request body. Git requests of people count too: wants and haves, 50 bytes each."""


class BodyLimit:
    """ASGI middleware: answers 413 to a body that is, or says it is, too long."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES, *, streamed: Collection[str] = ()) -> None:
        """`streamed` are the paths that count what they read themselves."""
        self._app = app
        self._limit = limit
        self._except = frozenset(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while it stays within the limit."""
        if scope["type"] != "http" or scope["path"] in self._except:
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            error = limit_reached(
                f"The request is longer than {self._limit:,} bytes, which is the most.",
                "Put long text into a file of the repository.",
                FIXED,
            )
            await problem(413, error.sentence, error.remedy)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, self._limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            return {"type": "http.disconnect"}
        return message

    return receive_counted
