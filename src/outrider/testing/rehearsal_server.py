"""The rehearsal model behind the broker's paths, on a loopback port of this process: for engines outside a sandbox."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import Script, load_scripts

TOKENS_PER_SECOND = 2000.0
"""Ten times what models say. An engine that is sent more than it can show holds it in memory, and hears no cancel."""


def contract_scripts() -> tuple[Script, ...]:
    """The scripts that the engine contract, and tests of trouble, play."""
    return load_scripts(Path(__file__).parent / "scripts")


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app on a free loopback port; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve([listener]), name="rehearsal server")
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True


def broker_like(scripts: Sequence[Script]) -> Starlette:
    """What of the broker an engine needs to talk to the rehearsal model."""
    model = rehearsal_app(scripts, tokens_per_second=TOKENS_PER_SECOND)
    return Starlette(routes=[Mount("/llm/rehearsal", model)])
