"""`outrider up`: the server."""

import asyncio
import sys

import click

from outrider.app.home import RunningServer
from outrider.app.server import serve
from outrider.cli.server import Servers
from outrider.settings import Settings


@click.command()
@click.option("--detach", is_flag=True, help="Go on in the background, and return when the server answers.")
@click.option("--quiet", is_flag=True, hidden=True, help="Print no login link: nobody is looking.")
@click.option("--private", is_flag=True, hidden=True, help="End when stdin is closed.")
def up(*, detach: bool, quiet: bool, private: bool) -> None:
    """Run the server until Ctrl-C, and print its address and a link that logs your browser in.

    \b
    outrider up
    outrider up --detach
    OUTRIDER_HOME=/srv/outrider OUTRIDER_PORT=4200 outrider up
    """
    settings = Settings.read()
    if detach:
        asyncio.run(_detach(Servers.of(settings)))
    else:
        asyncio.run(_serve(settings, quiet=quiet, private=private))


async def _detach(servers: Servers) -> None:
    running = servers.home.running()
    if running is None:
        running = await servers.start_detached()
        click.echo(f"Outrider runs at {running.url}. Its log is {servers.home.log_file}.")
    else:
        click.echo(f"Outrider runs already at {running.url}.")
    await print_login(servers, running)


async def print_login(servers: Servers, running: RunningServer, page: str = "/") -> None:
    """Print a fresh login link."""
    async with servers.client(running) as client:
        click.echo(
            f"Open it in your browser (the link works once, for ten minutes):\n  {await client.login_link(page)}"
        )


async def _serve(settings: Settings, *, quiet: bool, private: bool) -> None:
    ready: asyncio.Queue[RunningServer] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        welcoming = tasks.create_task(_welcome(Servers.of(settings), ready, quiet=quiet), name="welcome")
        serving = tasks.create_task(serve(settings, ready.put_nowait), name="serve")
        watching = tasks.create_task(_stop_at_end_of_stdin(serving), name="stdin") if private else None
        await asyncio.wait([serving])
        for task in (welcoming, watching):
            if task is not None:
                task.cancel()


async def _welcome(servers: Servers, ready: "asyncio.Queue[RunningServer]", *, quiet: bool) -> None:
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
