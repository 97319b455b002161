"""What sandboxes may reach: models, package registries, their session's tools. Put together from settings."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.server import ServerState

from outrider.broker.door import UnixBroker
from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressDecision, EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules, parse_networks
from outrider.broker.gateway import LlmGateway, Upstream, WireFormat
from outrider.broker.package_clients import ClientFiles, PackageClients
from outrider.model.egress import AllowedHost
from outrider.ports.audit import Audit
from outrider.ports.egress import EgressLists
from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.primer import primer_app
from outrider.rehearsal.script import built_in_scripts, load_scripts
from outrider.settings import Settings
from outrider.tools.mcp import build_tools_app

AUDIT_BACKLOG = 10_000
"""Decisions that wait to be written; a guest that asks faster than the disk writes loses the oldest line, not us."""


@asynccontextmanager
async def open_broker(settings: Settings, runtime: Path, audit: Audit, lists: EgressLists) -> AsyncIterator[UnixBroker]:
    """The broker of a deployment, with the rehearsal model behind it."""
    clients = await asyncio.to_thread(PackageClients.read, settings.environment, ClientFiles.usual(Path.home()))
    hosts = (*clients.hosts(), *AllowedHost.parse_list(settings.allowed_hosts))
    rules = EgressRules(OperatorRules(hosts, parse_networks(settings.allowed_networks)), lists.hosts)
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(_audited(audit))
        rehearsal = await stack.enter_async_context(_served(_rehearsal(settings), runtime / "rehearsal"))
        primer = await stack.enter_async_context(_served(primer_app(), runtime / "primer"))
        gateway = LlmGateway(upstreams(settings, rehearsal), clients.network, primer=primer)
        await stack.enter_async_context(gateway)
        egress = EgressProxy(rules, Dialer(clients.network), record)
        yield await stack.enter_async_context(UnixBroker(runtime / "doors", gateway, egress, build_tools_app, clients))


def upstreams(settings: Settings, rehearsal: Path) -> tuple[Upstream, ...]:
    """Where each provider's models answer."""
    play = Upstream("rehearsal", "http://rehearsal", WireFormat.ANTHROPIC, socket=rehearsal)
    real = (Upstream(one.provider, one.url, WireFormat(one.provider), one.key) for one in settings.vendors)
    return (play, *real)


def _rehearsal(settings: Settings) -> Starlette:
    more = load_scripts(settings.rehearsal_scripts) if settings.rehearsal_scripts else ()
    return rehearsal_app((*more, *built_in_scripts()), tokens_per_second=settings.rehearsal_tokens_per_second or None)


@asynccontextmanager
async def _served(app: Starlette, path: Path) -> AsyncIterator[Path]:
    """Serve a stand-in for a model on a socket: a real upstream, so that the gateway is used as for any other."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_unix_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
        path,
    )
    try:
        yield path
    finally:
        server.close()
        await asyncio.to_thread(path.unlink, missing_ok=True)


@asynccontextmanager
async def _audited(audit: Audit) -> AsyncIterator["Recorder"]:
    recorder = Recorder(audit)
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(recorder.write(), name="audit")
        try:
            yield recorder
        finally:
            writing.cancel()
    await recorder.write_rest()


class Recorder:
    """Takes decisions of the egress proxy at once and writes them in order behind it."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._waiting: asyncio.Queue[EgressDecision] = asyncio.Queue(AUDIT_BACKLOG)

    def __call__(self, decision: EgressDecision) -> None:
        """Take one decision."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(decision)

    async def write(self) -> None:
        """Write decisions as they come, until cancelled."""
        while True:
            await self._write(await self._waiting.get())

    async def write_rest(self) -> None:
        """Write what still waits."""
        with contextlib.suppress(asyncio.QueueEmpty):
            while True:
                await self._write(self._waiting.get_nowait())

    async def _write(self, decision: EgressDecision) -> None:
        target = f"{decision.host}:{decision.port}"
        await self._audit.record(decision.owner, "egress", target, allowed=decision.allowed, why=decision.why)
