"""`outrider unpin`: a session among the others again."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
def unpin(session: str) -> None:
    """Put a session back among the others.

    \b
    outrider unpin s-k4q7ab2xyz
    """
    asyncio.run(_unpin(Servers.of(Settings.read()), SessionId(session)))
    click.echo("No longer pinned.")


async def _unpin(servers: Servers, session: SessionId) -> None:
    async with servers.reach() as client:
        await client.ask("POST", f"/api/sessions/{session}/unpin")
