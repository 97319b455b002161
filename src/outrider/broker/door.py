"""Doors: the two Unix sockets that a sandbox's broker ports lead to, with what that one sandbox may do behind them.

Who is asking is known by the socket that a connection arrives on, and that is known by the SSH connection it was
forwarded over. So nothing in a guest proves who it is, and nothing in it can be stolen.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.types import ASGIApp, Receive, Scope, Send

from outrider.broker.asgi import say
from outrider.broker.egress.proxy import EgressProxy
from outrider.broker.gateway import LlmAccess, LlmGateway
from outrider.broker.git import GitReadApp
from outrider.broker.http_server import serve_http
from outrider.broker.package_clients import PackageClients
from outrider.model.errors import SandboxError
from outrider.ports.broker import Door, DoorSpec
from outrider.ports.tools import SessionTools

PATH_LIMIT = 100
"""Bytes of a socket's path; the kernel takes 107."""

ToolsApp = Callable[[Callable[[], SessionTools | None]], AbstractAsyncContextManager[ASGIApp]]
"""Makes the MCP server of a door, which asks at each call whose tools they are."""


@dataclass(slots=True)
class UnixBroker:
    """The broker of a deployment: an async context manager that owns the folder `runtime` and all doors in it."""

    runtime: Path
    gateway: LlmGateway
    egress: EgressProxy
    tools_app: ToolsApp
    package_clients: PackageClients
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup, init=False)
    _leaving: set[asyncio.Event] = field(default_factory=set, init=False)
    _held: dict[Path, "_Held"] = field(default_factory=dict, init=False)
    """By the socket of the open door."""

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(_clear, self.runtime)
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for leave in self._leaving:
            leave.set()
        await self._tasks.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def open(self, spec: DoorSpec) -> AsyncIterator[Door]:
        """A door for as long as the context lives; its connections end with it. It lives in a task of its own, so it
        may be left in another task than it was entered in. Raises SandboxError where its sockets cannot be made."""
        ready: asyncio.Future[Door] = asyncio.get_running_loop().create_future()
        leave = asyncio.Event()
        self._leaving.add(leave)
        task = self._tasks.create_task(self._keep(spec, ready, leave), name=f"door of {spec.owner}")
        try:
            yield await ready
        finally:
            self._leaving.discard(leave)
            leave.set()
            await asyncio.wait({task})

    def hand_over(self, door: Door, spec: DoorSpec) -> None:
        """From its next request on the door is another owner's. Raises SandboxError where it is closed."""
        held = self._held.get(door.http)
        if held is None:
            raise SandboxError("The broker's door of this sandbox is closed.")
        held.give(spec)

    def guest_environment(self) -> dict[str, str]:
        """Environment for setup commands and package clients in a guest with egress."""
        return self.package_clients.guest_environment()

    def guest_files(self) -> dict[str, bytes]:
        """Files for the guest's package clients and CA bundle, by absolute path in the guest."""
        return self.package_clients.guest_files()

    async def _keep(self, spec: DoorSpec, ready: asyncio.Future[Door], leave: asyncio.Event) -> None:
        """Hold one door open until it is left or the broker closes."""
        async with AsyncExitStack() as stack:
            try:
                door = await self._enter(spec, stack)
            except OSError as error:
                _answer(ready, SandboxError(f"The broker could not open a door: {error.strerror}."))
            except SandboxError as error:
                _answer(ready, error)
            else:
                _answer(ready, door)
                await leave.wait()

    async def _enter(self, spec: DoorSpec, stack: AsyncExitStack) -> Door:
        folder = Path(tempfile.mkdtemp(dir=self.runtime, prefix="d"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        door = Door(http=folder / "h", egress=folder / "e")
        if len(bytes(door.egress)) > PATH_LIMIT:
            raise SandboxError(
                f"The path {folder} is too long for a socket.", "Use a shorter folder for runtime files."
            )
        held = _Held(spec)
        tools = await stack.enter_async_context(self.tools_app(lambda: held.spec.tools))
        app = _HttpDoor(held, self.gateway.app(held.llm), tools)
        await stack.enter_async_context(serve_http(app, door.http))
        await stack.enter_async_context(self.egress.serve(door.egress, lambda: held.spec))
        self._held[door.http] = held
        stack.callback(self._held.pop, door.http)
        return door


class _Held:
    """Whose door it is now, asked anew for each request."""

    spec: DoorSpec
    git: ASGIApp | None

    def __init__(self, spec: DoorSpec) -> None:
        self.give(spec)

    def give(self, spec: DoorSpec) -> None:
        """To another owner."""
        self.spec = spec
        self.git = GitReadApp(spec.repository) if spec.repository else None

    def llm(self) -> LlmAccess:
        """What it may ask of which model."""
        spec = self.spec
        return LlmAccess(spec.model, spec.on_usage, spec.on_trouble, spec.may_spend, primer=spec.unowned)


@dataclass(frozen=True, slots=True)
class _HttpDoor:
    """What answers at BROKER_PORT: apps by the path they stand under."""

    held: _Held
    llm: ASGIApp
    tools: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        for prefix, app in self._apps():
            if app is not None and (path == prefix or path.startswith(prefix + "/")):
                await app({**scope, "root_path": prefix}, receive, send)
                return
        await say("This sandbox has nothing at that path.", 404, scope, receive, send)

    def _apps(self) -> tuple[tuple[str, ASGIApp | None], ...]:
        spec = self.held.spec
        tools = self.tools if spec.tools or spec.unowned else None
        return ("/llm", self.llm), ("/mcp", tools), ("/git/repository.git", self.held.git)


def _answer(ready: asyncio.Future[Door], outcome: Door | SandboxError) -> None:
    """Tell the opener, unless it was cancelled while it waited."""
    if ready.done():
        return
    if isinstance(outcome, SandboxError):
        ready.set_exception(outcome)
    else:
        ready.set_result(outcome)


def _clear(runtime: Path) -> None:
    """An empty folder of our own: what is in it belongs to a server that is dead."""
    shutil.rmtree(runtime, ignore_errors=True)
    runtime.mkdir(mode=0o700, parents=True)
