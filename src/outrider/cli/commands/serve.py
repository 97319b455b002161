"""`outrider serve`: the process behind `up`."""

import asyncio
import sys

import click
import uvloop

from outrider.app.home import RunningServer
from outrider.app.server import serve as run_server
from outrider.cli.commands.login import print_login
from outrider.cli.failures import first_of
from outrider.cli.server import Servers
from outrider.settings import Settings

Ready = asyncio.Queue[RunningServer]


@click.command(hidden=True)
@click.option("--quiet", is_flag=True, help="Print no login link: nobody is looking.")
@click.option("--private", is_flag=True, help="End when stdin is closed.")
def serve(*, quiet: bool, private: bool) -> None:
    """Be the server, until Ctrl-C or SIGTERM."""
    try:
        settings = Settings.read()
        if private:  # it lives for one job: an image would be cut off half-made
            settings = settings.model_copy(update={"image_builds": 0})
        uvloop.run(_serve(settings, quiet=quiet, private=private))
    except BaseExceptionGroup as group:
        raise first_of(group) from None


async def _serve(settings: Settings, *, quiet: bool, private: bool) -> None:
    ready: Ready = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        welcoming = tasks.create_task(_welcome(Servers.here(settings), ready, quiet=quiet), name="welcome")
        detached = quiet and not private
        server = run_server(settings, ready.put_nowait, detached=detached)
        serving = tasks.create_task(server, name="serve")
        watching = tasks.create_task(_stop_at_end_of_stdin(serving), name="stdin") if private else None
        await asyncio.wait([serving])
        for task in (welcoming, watching):
            if task is not None:
                task.cancel()


async def _welcome(servers: Servers, ready: Ready, *, quiet: bool) -> None:
    running = await ready.get()
    click.echo(f"Outrider runs at {running.url}. Ctrl-C stops it.")
    if not quiet:
        await print_login(servers, running)


async def _stop_at_end_of_stdin(serving: "asyncio.Task[None]") -> None:
    """Whoever started us holds the other end, and is gone when it is closed."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while await reader.read(4096):
            continue
        serving.cancel()
    finally:
        transport.close()
