"""`outrider stop`: stop a turn."""

import asyncio

import click

from outrider.cli.family import children_at_work, offer_children
from outrider.cli.server import Servers
from outrider.model.errors import NotAllowed, Refused
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.option(
    "--children/--no-children",
    default=None,
    help="Stop the sessions that it started too, and theirs; or leave them at work. On a terminal you are asked.",
)
def stop(session: str, *, children: bool | None) -> None:
    """Stop the running turn of a session. Its files and its queue are kept.

    Where sessions that it started still work, it says how many, and asks whether they are meant too. Where nobody can
    be asked they go on, unless --children says otherwise.

    \b
    outrider stop s-k4q7ab2xyz
    outrider stop s-k4q7ab2xyz --children
    """
    asyncio.run(_stop(Servers.of(Settings.read()), SessionId(session), children))


async def _stop(servers: Servers, session: SessionId, children: bool | None) -> None:
    """The session itself is stopped before anybody is asked."""
    async with servers.reach() as client:
        try:
            await client.stop(session, children=bool(children))
            click.echo("Stopping.")
        except Refused as error:
            if isinstance(error, NotAllowed) or not await children_at_work(client, session):
                raise
            click.echo(error.sentence)
        if not children and (said := await offer_children(client, session, children)):
            click.echo(said)
