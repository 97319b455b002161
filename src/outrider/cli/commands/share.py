"""`outrider share`: links by which people join a session."""

import asyncio
from typing import Any

import click

from outrider.cli.clean import clean_line
from outrider.cli.server import Servers
from outrider.model.ids import SessionId
from outrider.model.membership import ROLES
from outrider.settings import Settings


@click.command()
@click.argument("session", metavar="ID")
@click.option("--role", type=click.Choice(ROLES), default="prompter", show_default=True, help="What it makes people.")
@click.option("--hours", type=float, default=24, show_default=True, help="How long it can be followed.")
@click.option("--uses", type=int, default=1, show_default=True, help="How many people may follow it.")
@click.option("--list", "listed", is_flag=True, help="List the links that can still be followed.")
@click.option("--revoke", metavar="LINK", help="Have a link lead nowhere from now on.")
def share(session: str, role: str, hours: float, uses: int, revoke: str | None, *, listed: bool) -> None:
    """Make a link by which somebody joins a session, with a login of their own or as a guest.

    A guest sees that session and no other. The link is shown this once: only its hash is kept.

    \b
    outrider share s-k4q7ab2xyz
    outrider share s-k4q7ab2xyz --role viewer --hours 72 --uses 10
    outrider share s-k4q7ab2xyz --list
    outrider share s-k4q7ab2xyz --revoke link-abcdefghij
    """
    wanted = {"role": role, "hours": hours, "uses": uses}
    click.echo(asyncio.run(_share(Servers.of(Settings.read()), SessionId(session), wanted, revoke, listed=listed)))


async def _share(
    servers: Servers, session: SessionId, wanted: dict[str, Any], revoke: str | None, *, listed: bool
) -> str:
    path = f"/api/sessions/{session}/links"
    async with servers.reach() as client:
        if revoke:
            await client.ask("DELETE", f"{path}/{revoke}")
            return f"{revoke} leads nowhere any more. Who has followed it stays: see `outrider members {session}`."
        if listed:
            found = (await client.ask("GET", path))["invites"]
            return "\n".join(map(_line, found)) or "No link to this session can be followed."
        made = await client.ask("POST", path, wanted)
    invite = made["invite"]
    people = "one person" if invite["uses"] == 1 else f"{invite['uses']} people"
    return f"{made['url']}\nFor {people}, as {invite['role']}, until {invite['expires_at'][:16]} UTC ({invite['id']})."


def _line(invite: dict[str, Any]) -> str:
    used = f"{invite['used']}/{invite['uses']} used"
    by = clean_line(invite["by"]["name"])
    return f"{invite['id']}  {invite['role']:<8}  {used:<12}  until {invite['expires_at'][:16]}  by {by}"
