"""Runs a deployment as one process: claims the home, finds a port, serves until told to stop."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from outrider import __version__
from outrider.api.parts import Parts
from outrider.api.ready_frames import ReadyFrames
from outrider.api.server import build_server
from outrider.app.deployment import deploy
from outrider.app.home import Home, RunningServer
from outrider.app.marks import model_marks, settings_mark
from outrider.model.errors import OutriderError
from outrider.ports.engine import Engine
from outrider.settings import Settings

HOST = "127.0.0.1"
HOST_NAMES = ("localhost", "127.0.0.1")
PORTS_TRIED = 100
"""How many ports above the wanted one are tried where other programs have them."""

LONGEST_MESSAGE_BYTES = 4 << 20
"""A longer message of a WebSocket's client ends its connection. The feed refuses far shorter ones with a sentence."""

PING_SECONDS = 5
"""How often a WebSocket's client is asked whether it lives, and how long it may take to say so: who is gone without a
word is not shown as watching for longer than both."""

SHUTDOWN_SECONDS = 5
"""How long open requests may take to end after a stop was asked for."""


async def serve(
    settings: Settings,
    on_ready: Callable[[RunningServer], None] = lambda _server: None,
    engine: Engine | None = None,
    beside: Callable[[Parts], Coroutine[Any, Any, None]] | None = None,
    *,
    detached: bool = False,
) -> None:
    """Be the server of a home until SIGINT or SIGTERM. Raises Refused where another server is, OutriderError where
    the home cannot be used or no port is free. `beside` runs with it from when it answers until it stops."""
    home = Home(settings.home)
    with home.claim() as claim, _listen(settings.port) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        running = _described(settings, home, url, detached=detached)
        async with deploy(settings, home, url, engine) as parts:
            server = _uvicorn(build_server(parts, HOST_NAMES))
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(server.serve(sockets=[listener]), name="http-server")
                await server.ready.wait()
                _keep_for_good()
                claim.announce(running)
                on_ready(running)
                other = tasks.create_task(beside(parts), name="beside the server") if beside else None
                await serving
                if other:
                    other.cancel()
            claim.write("")


def _described(settings: Settings, home: Home, url: str, *, detached: bool) -> RunningServer:
    secret = home.token()
    return RunningServer(
        url=url,
        pid=os.getpid(),
        version=__version__,
        detached=detached,
        models=model_marks(settings, secret),
        settings=settings_mark(settings, secret),
    )


class ReadyServer(uvicorn.Server):
    """uvicorn's server with an event for the moment from which it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM. uvicorn would raise the signal again at its own end, and the process would die
        before the sessions are asleep."""
        with super().capture_signals():
            try:
                yield
            finally:
                self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.ready.set()


def _uvicorn(app: ASGIApp) -> ReadyServer:
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws=ReadyFrames,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_max_size=LONGEST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=64 << 10,
    )
    return ReadyServer(config)


def _keep_for_good() -> None:
    """Have the garbage collector pass over what is there at start. Most of it lives as long as the process, and to look
    through it takes tens of milliseconds in which nothing else happens."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _listen(wanted: int) -> Iterator[socket.socket]:
    """A listening loopback socket on the wanted port, or on the next free one."""
    ports = range(wanted, min(wanted + PORTS_TRIED, 65_536)) if wanted else (0,)
    for port in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(256)
        except OSError:
            listener.close()
            continue
        with listener:
            yield listener
        return
    raise OutriderError(
        f"The ports {ports[0]} to {ports[-1]} are all taken.", "Set OUTRIDER_PORT to a free one, or to 0 for any."
    )
