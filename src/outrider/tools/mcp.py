"""The tools of one session as an MCP server (streamable HTTP), for the engine in its sandbox.

A call may take minutes: while it runs, progress goes to a client that asked for it, and comments keep the stream alive
for one that did not. It ends when the client cancels it, and when the client goes away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.context import RequestContext
from mcp.types import CallToolResult, TextContent, Tool
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outrider.model.errors import OutriderError
from outrider.ports.tools import SessionTools
from outrider.tools.offers import OFFERS, Offer

BODY_LIMIT = 1 << 20
SESSIONS = 16
"""MCP sessions of one sandbox. An engine opens one, and another after a restart."""
PROGRESS_SECONDS = 5.0
"""Between two signs of life. Far below the 60 s after which clients on the official SDKs give up by default."""
RESULT_LIMIT = 256 << 10
"""Characters of a result."""

_GONE = "outrider.client_gone"
_INSTRUCTIONS = (
    "Commit your work with git before you call these tools: they see commits, not uncommitted files. "
    "You cannot push; open_pull_request does it for you."
)


_NOT_YET = "Not yet: this sandbox belongs to no session. Its tools answer once it has its first prompt."


@asynccontextmanager
async def build_tools_app(
    whose: Callable[[], SessionTools | None], *, progress_seconds: float = PROGRESS_SECONDS
) -> AsyncIterator[ASGIApp]:
    """The MCP server of a sandbox as an ASGI app, for as long as the context lives. Whose tools they are is asked at
    each call, so that what an engine has open goes on where the sandbox gets an owner. Leave it in the task that
    entered it. Calls that are still running then are cancelled."""
    manager = StreamableHTTPSessionManager(
        _server(whose, progress_seconds),
        # Not stateless: there a client's cancellation arrives at another server than its call.
        stateless=False,
        max_request_body_size=BODY_LIMIT,
        max_sessions=SESSIONS,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.Event()

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            return message

        await manager.handle_request({**scope, _GONE: gone}, watched, send)

    async with manager.run():
        yield app


def _server(whose: Callable[[], SessionTools | None], progress_seconds: float) -> Server[Any, Any]:
    server: Server[Any, Any] = Server("outrider", instructions=_INSTRUCTIONS)

    @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
    async def list_tools() -> list[Tool]:
        return [offer.tool for offer in OFFERS.values()]

    @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
    async def call_tool(name: str, arguments: dict[str, Any]) -> CallToolResult:
        if name not in OFFERS:
            return _result(f"There is no tool named {name[:80]}.", failed=True)
        tools = whose()
        if tools is None:
            return _result(_NOT_YET, failed=True)
        return await _attended(server.request_context, _answer(tools, OFFERS[name], arguments), progress_seconds)

    return server


async def _answer(tools: SessionTools, offer: Offer, arguments: dict[str, Any]) -> CallToolResult:
    """A result, or an error in words that the engine can act on."""
    try:
        return _result(await offer.call(tools, arguments), failed=False)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        return _result(f"The arguments of {offer.tool.name} are wrong. {wrong}.", failed=True)
    except OutriderError as error:
        return _result(f"{error.sentence} {error.remedy}".strip(), failed=True)


async def _attended(
    context: RequestContext[Any, Any, Any], work: Awaitable[CallToolResult], progress_seconds: float
) -> CallToolResult:
    """Do the work, show signs of life, and cancel it when the client has gone."""

    async def working() -> CallToolResult:
        return await work

    async def leaving(call: asyncio.Task[CallToolResult]) -> None:
        if context.request is not None:
            await context.request.scope[_GONE].wait()
            call.cancel()

    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(working(), name="tool call")
        others = [
            tasks.create_task(leaving(call), name="tool client watch"),
            tasks.create_task(_progress(context, progress_seconds), name="tool progress"),
        ]
        await asyncio.wait({call})
        for other in others:
            other.cancel()
    return _result("The call was cancelled.", failed=True) if call.cancelled() else call.result()


async def _progress(context: RequestContext[Any, Any, Any], seconds: float) -> None:
    token = context.meta.progressToken if context.meta else None
    passed = 0.0
    while token is not None:
        await asyncio.sleep(seconds)
        passed += seconds
        await context.session.send_progress_notification(
            token, passed, message=f"running for {passed:.0f} s", related_request_id=str(context.request_id)
        )


def _result(text: str, *, failed: bool) -> CallToolResult:
    if len(text) > RESULT_LIMIT:
        text = f"{text[:RESULT_LIMIT]}\n[the rest was cut off]"
    return CallToolResult(content=[TextContent(type="text", text=text)], isError=failed)
