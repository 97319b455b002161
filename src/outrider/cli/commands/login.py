"""`outrider login`: a link for the browser."""

import asyncio

import click

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
