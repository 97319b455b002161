"""The official MCP client against the tools of a session, over a Unix socket as in a door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CallToolResult,
    CancelledNotification,
    CancelledNotificationParams,
    ClientNotification,
    TextContent,
)

from outrider.broker.http_server import serve_http
from outrider.model.errors import Refused
from outrider.ports.tools import ChildrenAwaited, ChildWanted
from outrider.tools.mcp import build_tools_app
from outrider.tools.offers import WAIT_SECONDS


@dataclass
class Tools:
    """Tools that do what a test asks. `held` makes run_checks wait until it is cancelled."""

    held: bool = False
    refusal: Refused | None = None
    opened: list[tuple[str, str]] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def run_checks(self) -> str:
        self.started.set()
        if self.refusal:
            raise self.refusal
        if self.held:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        return "unit: exit 0"

    async def open_pull_request(self, title: str, body: str) -> str:
        self.opened.append((title, body))
        return "http://outrider/pulls/1"

    async def spawn_session(self, wanted: ChildWanted) -> str:
        self.asked.append(wanted)
        return "s-child"

    async def send_to_session(self, session: str, prompt: str, key: str | None) -> str:
        self.asked.append((session, prompt, key))
        return "sent"

    async def wait_for_sessions(self, awaited: ChildrenAwaited) -> str:
        self.asked.append(awaited)
        return "rested"

    async def list_sessions(self) -> str:
        return "the tree"


@asynccontextmanager
async def serving(tools: Tools, socket: Path, progress_seconds: float = 0.05) -> AsyncIterator[None]:
    async with build_tools_app(lambda: tools, progress_seconds=progress_seconds) as app, serve_http(app, socket):
        yield


@asynccontextmanager
async def connected(socket: Path) -> AsyncIterator[ClientSession]:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with (
        httpx.AsyncClient(transport=transport, trust_env=False, timeout=20) as http,
        streamable_http_client("http://broker/mcp", http_client=http) as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        yield session


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def test_the_tools_explain_themselves(short_path: Path) -> None:
    async with serving(Tools(), short_path / "m"), connected(short_path / "m") as session:
        offered = {tool.name: tool for tool in (await session.list_tools()).tools}
        sessions = {"spawn_session", "send_to_session", "wait_for_sessions", "list_sessions"}
        assert set(offered) == {"run_checks", "open_pull_request", *sessions}
        assert all(len(tool.description or "") > 100 for tool in offered.values())
        assert set(offered["open_pull_request"].inputSchema["required"]) == {"title", "body"}


async def test_calls_reach_the_session(short_path: Path) -> None:
    tools = Tools()
    async with serving(tools, short_path / "m"), connected(short_path / "m") as session:
        checks = await session.call_tool("run_checks", {})
        assert (text(checks), checks.isError) == ("unit: exit 0", False)
        opened = await session.call_tool("open_pull_request", {"title": "Mend", "body": "Why"})
        assert text(opened) == "http://outrider/pulls/1"
    assert tools.opened == [("Mend", "Why")]


async def test_calls_about_other_sessions_reach_the_session(short_path: Path) -> None:
    tools = Tools()
    async with serving(tools, short_path / "m"), connected(short_path / "m") as session:
        spawned = await session.call_tool("spawn_session", {"prompt": "look", "repository": "other", "key": "k"})
        assert text(spawned) == "s-child"
        await session.call_tool("send_to_session", {"session": "s-child", "prompt": "more"})
        await session.call_tool("wait_for_sessions", {"sessions": ["s-child"], "which": "any"})
        assert text(await session.call_tool("list_sessions", {})) == "the tree"
        too_long = await session.call_tool("wait_for_sessions", {"seconds": 601})
        assert too_long.isError
    assert tools.asked == [
        ChildWanted("look", repository="other", key="k"),
        ("s-child", "more", None),
        ChildrenAwaited(("s-child",), "any", WAIT_SECONDS),
    ]


async def test_one_connection_lives_on_when_the_tools_get_an_owner(short_path: Path) -> None:
    owners: list[Tools] = []
    app_of = build_tools_app(lambda: owners[-1] if owners else None)
    async with app_of as app, serve_http(app, short_path / "m"), connected(short_path / "m") as session:
        early = await session.call_tool("run_checks", {})
        assert early.isError
        assert "Not yet" in text(early)
        for _ in range(2):
            owners.append(Tools())
            assert not (await session.call_tool("run_checks", {})).isError
    assert all(owner.started.is_set() for owner in owners)


async def test_a_refusal_is_told_with_its_remedy(short_path: Path) -> None:
    tools = Tools(refusal=Refused("Nothing is committed.", "Commit first."))
    async with serving(tools, short_path / "m"), connected(short_path / "m") as session:
        answer = await session.call_tool("run_checks", {})
        assert answer.isError
        assert text(answer) == "Nothing is committed. Commit first."


async def test_wrong_calls_are_explained(short_path: Path) -> None:
    tools = Tools()
    async with serving(tools, short_path / "m"), connected(short_path / "m") as session:
        for name, arguments, word in (
            ("open_pull_request", {"title": "x"}, "body"),
            ("open_pull_request", {"title": "", "body": ""}, "title"),
            ("open_pull_request", {"title": "x" * 300, "body": ""}, "title"),
            ("run_checks", {"commit": "x"}, "commit"),
            ("merge", {}, "no tool named merge"),
        ):
            answer = await session.call_tool(name, arguments)
            assert answer.isError
            assert word in text(answer)
    assert tools.opened == []
    assert not tools.started.is_set()


async def test_a_long_call_shows_progress_and_ends_by_the_clients_cancellation(short_path: Path) -> None:
    tools = Tools(held=True)
    told: list[float] = []
    twice = asyncio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)
        if len(told) == 2:
            twice.set()

    async with (
        serving(tools, short_path / "m"),
        connected(short_path / "m") as session,
        asyncio.timeout(20),
        asyncio.TaskGroup() as tasks,
    ):
        call = tasks.create_task(session.call_tool("run_checks", {}, progress_callback=on_progress), name="call")
        await twice.wait()
        notice = CancelledNotification(params=CancelledNotificationParams(requestId=session._request_id - 1))
        await session.send_notification(ClientNotification(notice))
        await tools.cancelled.wait()
        call.cancel()
    assert told == sorted(told)


async def test_a_client_that_goes_away_ends_its_call(short_path: Path) -> None:
    tools = Tools(held=True)
    async with serving(tools, short_path / "m"), asyncio.timeout(20):
        transport = httpx.AsyncHTTPTransport(uds=str(short_path / "m"))
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            answer = await post(client, "initialize", INITIALIZE)
            session = {"mcp-session-id": answer.headers["mcp-session-id"]}
            async with asyncio.TaskGroup() as tasks:
                asked = {"name": "run_checks", "arguments": {}}
                call = tasks.create_task(post(client, "tools/call", asked, session), name="call")
                await tools.started.wait()
                call.cancel()
            await tools.cancelled.wait()


async def test_closing_the_server_ends_calls(short_path: Path) -> None:
    tools = Tools(held=True)
    transport = httpx.AsyncHTTPTransport(uds=str(short_path / "m"))
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client, asyncio.timeout(20):

        async def call_until_cut_off(session: dict[str, str]) -> None:
            with pytest.raises(httpx.RemoteProtocolError):
                await post(client, "tools/call", {"name": "run_checks", "arguments": {}}, session)

        async with asyncio.TaskGroup() as tasks, serving(tools, short_path / "m"):
            answer = await post(client, "initialize", INITIALIZE)
            session = {"mcp-session-id": answer.headers["mcp-session-id"]}
            tasks.create_task(call_until_cut_off(session), name="call")
            await tools.started.wait()
        assert tools.cancelled.is_set()


INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


async def post(
    client: httpx.AsyncClient, method: str, params: dict[str, object], headers: dict[str, str] | None = None
) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    accept = {"accept": "application/json, text/event-stream"}
    return await client.post("http://broker/mcp", json=body, headers={**accept, **(headers or {})})
