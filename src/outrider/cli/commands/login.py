"""`outrider login`: a link for the browser."""

import asyncio

import click

from outrider.app.home import RunningServer
from outrider.cli.server import Servers
from outrider.settings import Settings


@click.command()
def login() -> None:
    """Print a fresh link that logs your browser in. It works once, for ten minutes.

    \b
    outrider login
    """
    click.echo(asyncio.run(_login(Servers.of(Settings.read()))))


async def _login(servers: Servers) -> str:
    async with servers.reach() as client:
        return await client.login_link()


async def print_login(servers: Servers, running: RunningServer) -> None:
    """Print a fresh login link, with what it is for."""
    async with servers.client(running) as client:
        click.echo(f"Open it in your browser (the link works once, for ten minutes):\n  {await client.login_link()}")
