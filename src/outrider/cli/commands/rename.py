"""`outrider rename`: another title for a session."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.argument("title", metavar="TITLE")
def rename(session: str, title: str) -> None:
    """Give a session another title. Its branch and its pull request keep their names.

    \b
    outrider rename s-k4q7ab2xyz "Coupons that are used twice"
    """
    asyncio.run(_rename(Servers.of(Settings.read()), SessionId(session), title))
    click.echo("Renamed.")


async def _rename(servers: Servers, session: SessionId, title: str) -> None:
    async with servers.reach() as client:
        await client.ask("POST", f"/api/sessions/{session}/rename", {"title": title})
