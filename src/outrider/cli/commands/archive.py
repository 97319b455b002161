"""`outrider archive`: a session put away."""

import asyncio
from typing import Any

import click

from outrider.cli import words
from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.option("--stop", is_flag=True, help="Stop its turn first, and take back the prompts that wait.")
@click.option("--children", is_flag=True, help="Put away the sessions that it started too, and theirs.")
def archive(session: str, *, stop: bool, children: bool) -> None:
    """Put a session away: it leaves the list, its sandbox goes, and it takes no more prompts. Its story, its branch and
    the files of its last turn stay: `outrider unarchive` takes it out again. Older turns cannot be rewound to then.

    Refused while a turn runs, unless --stop says that it may be stopped.

    \b
    outrider archive s-k4q7ab2xyz
    outrider archive s-k4q7ab2xyz --stop
    """
    before = asyncio.run(_archive(Servers.of(Settings.read()), SessionId(session), stop=stop, children=children))
    if before["queue"]:
        click.echo(f"{words.count(len(before['queue']), 'waiting prompt')} taken back; the transcript keeps them.")
    click.echo("Stopping; archived as soon as its files are kept." if before["turn"] else "Archived.")


async def _archive(servers: Servers, session: SessionId, **how: bool) -> dict[str, Any]:
    async with servers.reach() as client:
        before = await client.session(session)
        await client.ask("POST", f"/api/sessions/{session}/archive", how)
        return before
