"""`outrider fork`: a new session that goes on from a turn of another."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.option("--turn", metavar="TURN", help="Which turn to go on from; the newest where none is named.")
def fork(session: str, turn: str | None) -> None:
    """Start a new session from another one's files, commits and engine memory. The other one is left alone.

    \b
    outrider fork s-k4q7ab2xyz
    outrider fork s-k4q7ab2xyz --turn 2
    """
    child = asyncio.run(_fork(Servers.of(Settings.read()), SessionId(session), turn))
    click.echo(f'{child}\nPrompt it: outrider attach {child} --prompt "…"')


async def _fork(servers: Servers, session: SessionId, turn: str | None) -> str:
    async with servers.reach() as client:
        return str((await client.ask("POST", f"/api/sessions/{session}/fork", {"turn": turn}))["session"])
