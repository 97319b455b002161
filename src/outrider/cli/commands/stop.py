"""`outrider stop`: stop a turn."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
def stop(session: str) -> None:
    """Stop the running turn of a session. Its files and its queue are kept.

    \b
    outrider stop s-k4q7ab2xyz
    """
    asyncio.run(_stop(Servers.of(Settings.read()), SessionId(session)))
    click.echo("Stopping.")


async def _stop(servers: Servers, session: SessionId) -> None:
    async with servers.reach() as client:
        await client.stop(session)
