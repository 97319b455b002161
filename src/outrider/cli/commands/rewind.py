"""`outrider rewind`: a session as it was after a turn."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.argument("turn", metavar="TURN")
def rewind(session: str, turn: str) -> None:
    """Bring a session's files, commits and engine memory back to the end of a turn.

    Nothing that came later is deleted: it can be rewound forwards again. What was pushed stays as it is; new work goes
    to another branch then.

    \b
    outrider rewind s-k4q7ab2xyz 2
    """
    branch = asyncio.run(_rewind(Servers.of(Settings.read()), SessionId(session), turn))
    click.echo(f"The session is as it was after turn {turn}. Work goes to {branch}.")


async def _rewind(servers: Servers, session: SessionId, turn: str) -> str:
    async with servers.reach() as client:
        await client.ask("POST", f"/api/sessions/{session}/rewind", {"turn": turn})
        return str((await client.session(session))["branch_name"])
