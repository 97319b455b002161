"""`outrider stop`: stop a turn."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.option("--children", is_flag=True, help="Stop the sessions that it started too, and theirs.")
def stop(session: str, *, children: bool) -> None:
    """Stop the running turn of a session. Its files and its queue are kept.

    \b
    outrider stop s-k4q7ab2xyz
    outrider stop s-k4q7ab2xyz --children
    """
    asyncio.run(_stop(Servers.of(Settings.read()), SessionId(session), children=children))
    click.echo("Stopping.")


async def _stop(servers: Servers, session: SessionId, *, children: bool) -> None:
    async with servers.reach() as client:
        await client.ask("POST", f"/api/sessions/{session}/stop", {"children": children})
