"""`outrider down`: stop the server."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.settings import Settings


@click.command()
def down() -> None:
    """Stop the server of this home. Sessions, queues and files are kept; what ran goes on after the next `up`.

    \b
    outrider down
    """
    servers = Servers.here(Settings.read())
    running = servers.home.running()
    if running is None:
        click.echo(f"No server runs in {servers.home.path}.")
        return
    asyncio.run(servers.stop(running))
    click.echo(f"Stopped the server at {running.url}.")
