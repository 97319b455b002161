"""The real engine behind a real door: its model through the gateway, its tools over MCP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outrider.broker.door import UnixBroker
from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressProxy
from outrider.broker.egress.pump import splice
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.gateway import LlmGateway, Upstream, WireFormat
from outrider.broker.http_server import serve_http
from outrider.broker.network import HostNetwork
from outrider.broker.package_clients import PackageClients
from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.model.engine import EngineStop, ModelRef, Usage
from outrider.ports.broker import Door, DoorSpec
from outrider.ports.engine import EngineLaunch, EngineSession
from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.primer import primer_app
from outrider.rehearsal.script import load_scripts
from outrider.testing.engine_contract import Ear
from outrider.testing.local_guest import LocalGuest
from outrider.testing.opencode_install import opencode_binary
from outrider.tools.mcp import build_tools_app

SCRIPT = """
name = "checks"
title = "Run the checks"
prompt = "Run the checks."
match = "Run the checks"

[[steps]]
text = "I run the checks."
[[steps.calls]]
tool = "outrider_run_checks"
input = {}

[[steps]]
text = "They are done."
"""
MODEL = ModelRef.parse("rehearsal/demo")


@dataclass
class Checks:
    """Checks that end when `done` is set."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    used: list[Usage] = field(default_factory=list)

    async def on_usage(self, usage: Usage) -> None:
        self.used.append(usage)

    async def run_checks(self) -> str:
        self.started.set()
        try:
            await self.done.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "unit: exit 0, 3 tests"

    async def open_pull_request(self, title: str, body: str) -> str:
        return "http://outrider/pulls/1"


@asynccontextmanager
async def forwarded(door: Door) -> AsyncIterator[str]:
    """A loopback port that leads to the door, as the forwarded port in a guest does."""
    handling: set[asyncio.Task[object]] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handling.add(task)
        inside = await asyncio.open_unix_connection(door.http)
        await splice((reader, writer), inside)
        for end in (writer, inside[1]):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    if handling:
        await asyncio.wait(handling, timeout=10)


@asynccontextmanager
async def engine(
    checks: Checks, short: Path, tmp_path: Path, ear: Ear, *, warm: bool = False
) -> AsyncIterator[EngineSession]:
    """A running engine; a warm one was started and primed while nobody owned its door."""
    for name in ("scripts", "workspace"):
        (tmp_path / name).mkdir()
    (tmp_path / "scripts/checks.toml").write_text(SCRIPT)
    async with AsyncExitStack() as stack:
        app = rehearsal_app(load_scripts(tmp_path / "scripts"), tokens_per_second=None)
        await stack.enter_async_context(serve_http(app, short / "up"))
        await stack.enter_async_context(serve_http(primer_app(), short / "primer"))
        upstream = Upstream("rehearsal", "http://rehearsal", WireFormat.ANTHROPIC, socket=short / "up")
        gateway = await stack.enter_async_context(LlmGateway([upstream], primer=short / "primer"))
        proxy = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()))
        broker = UnixBroker(short / "b", gateway, proxy, build_tools_app, PackageClients(HostNetwork()))
        await stack.enter_async_context(broker)
        guest = await stack.enter_async_context(LocalGuest(tmp_path))
        spec = DoorSpec("s-test", model=MODEL, on_usage=checks.on_usage, tools=checks)
        door = await stack.enter_async_context(
            broker.open(DoorSpec("pool", model=MODEL, unowned=True) if warm else spec)
        )
        url = await stack.enter_async_context(forwarded(door))
        profile = OpenCode(binary=str(opencode_binary()), home=str(tmp_path / "engine"), broker=url)
        launch = EngineLaunch(MODEL, str(tmp_path / "workspace"))
        session = await AcpEngine(profile).open(guest, launch, Ear() if warm else ear)
        if warm:
            await session.prime()
            broker.hand_over(door, spec)
            session.listen(ear)
        try:
            yield session
        finally:
            await session.close()


@pytest.mark.parametrize("warm", [False, True])
async def test_the_engine_runs_our_checks_and_is_counted(short_path: Path, tmp_path: Path, warm: bool) -> None:
    checks, ear = Checks(), Ear()
    checks.done.set()
    async with engine(checks, short_path, tmp_path, ear, warm=warm) as session, asyncio.timeout(120):
        assert (checks.used, ear.updates) == ([], [])
        assert await session.prompt(["Run the checks."]) is EngineStop.END_TURN
        assert ear.text() == "I run the checks.They are done."
        assert len(checks.used) == 2
        assert len({usage.call for usage in checks.used}) == 2
        assert all(usage.input_tokens > 0 and usage.cost_usd == 0 for usage in checks.used)


async def test_stopping_the_engine_stops_the_checks(short_path: Path, tmp_path: Path) -> None:
    checks, ear = Checks(), Ear()
    async with (
        engine(checks, short_path, tmp_path, ear) as session,
        asyncio.timeout(120),
        asyncio.TaskGroup() as tasks,
    ):
        turn = tasks.create_task(session.prompt(["Run the checks."]), name="turn")
        await checks.started.wait()
        await session.cancel()
        await checks.cancelled.wait()
        assert await turn is EngineStop.CANCELLED
