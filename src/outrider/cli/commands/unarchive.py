"""`outrider unarchive`: a session out of the archive."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
def unarchive(session: str) -> None:
    """Take a session out of the archive. It wakes with its next prompt, with the files of its last turn.

    \b
    outrider unarchive s-k4q7ab2xyz
    """
    asyncio.run(_unarchive(Servers.of(Settings.read()), SessionId(session)))
    click.echo("Taken out of the archive.")


async def _unarchive(servers: Servers, session: SessionId) -> None:
    async with servers.reach() as client:
        await client.ask("POST", f"/api/sessions/{session}/unarchive")
