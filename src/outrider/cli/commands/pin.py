"""`outrider pin`: a session at the top of the list."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
def pin(session: str) -> None:
    """Keep a session at the top of the list, for everybody.

    \b
    outrider pin s-k4q7ab2xyz
    """
    asyncio.run(_pin(Servers.of(Settings.read()), SessionId(session)))
    click.echo("Pinned.")


async def _pin(servers: Servers, session: SessionId) -> None:
    async with servers.reach() as client:
        await client.ask("POST", f"/api/sessions/{session}/pin")
